import type { CallCommand, CallRecord } from '@greenroom/redis-schema';
import type { Logger } from '@greenroom/service-kit';
import type { CallSender, SendOutcome } from '../call-sender.js';
import type { CommandOutcome, PhoneCommand } from './phone-command.js';
import type { TelnyxClient } from './telnyx-client.js';

export interface PhoneSenderOptions {
  readonly client: Pick<TelnyxClient, 'send'>;
  /** Ends the session of a call that never meets its agent; the phone is hung up with it. */
  readonly endSession: (call: CallRecord, reason: 'start_failed') => Promise<void>;
  readonly logger: Pick<Logger, 'warn' | 'error'>;
}

/** Reaches phone calls through Telnyx. What it has taken once, it does: nobody waits for an event to prove it. */
export class PhoneSender implements CallSender {
  readonly medium = 'phone';
  readonly #options: PhoneSenderOptions;

  constructor(options: PhoneSenderOptions) {
    this.#options = options;
  }

  /** @throws when Telnyx does not take it now: it is sent again, with the same id */
  async send(call: CallRecord, command: CallCommand): Promise<SendOutcome> {
    const wish = wishOf(call, command);
    const outcome = await this.#carryOut(call, command, wish);
    switch (outcome.status) {
      case 'done':
        // A call that is rejected is over.
        return wish.kind === 'reject' ? 'gone' : 'confirmed';
      case 'gone':
        return 'gone';
      case 'refused':
        await this.#refused(call, wish, outcome.problem);
        return 'refused';
    }
  }

  /** A sound that Telnyx does not play is said in words. Under an id of its own: Telnyx may have kept the other. */
  async #carryOut(call: CallRecord, command: CallCommand, wish: PhoneCommand): Promise<CommandOutcome> {
    const { client, logger } = this.#options;
    const { commandId } = command;
    const outcome = await client.send(call.callId, commandId, wish);
    if (outcome.status !== 'refused' || wish.kind !== 'playback_start' || command.kind !== 'say')
      return outcome;
    const { problem } = outcome;
    logger.warn('Telnyx refuses the sound of a question, which is spoken instead', { problem });
    const words: PhoneCommand = { kind: 'speak', text: command.text, lineId: commandId };
    return client.send(call.callId, `${commandId}-text`, words);
  }

  async #refused(call: CallRecord, { kind }: PhoneCommand, problem: string): Promise<void> {
    const { endSession, logger } = this.#options;
    logger.error('Telnyx refuses a command for a phone call', { command: kind, problem });
    // Nobody would ever talk to this caller.
    if (kind === 'answer' || kind === 'transfer') await endSession(call, 'start_failed');
  }
}

function wishOf({ settings }: CallRecord, command: CallCommand): PhoneCommand {
  switch (command.kind) {
    case 'say': {
      const audioUrl = command.purpose === 'checkin' ? settings.checkin_audio_url : undefined;
      return audioUrl === undefined
        ? { kind: 'speak', text: command.text }
        : { kind: 'playback_start', audioUrl };
    }
    case 'unsay':
      return { kind: 'playback_stop' };
    case 'end':
      return { kind: 'hangup' };
    case 'phone':
      // As a step of ours has written it.
      return command.command as PhoneCommand;
    case 'restart_agent':
      throw new Error('an agent is not reached by telephone');
  }
}
