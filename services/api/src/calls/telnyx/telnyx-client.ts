import type { Counter, Gauge, Logger } from '@greenroom/service-kit';
import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  IterableBackoff,
} from 'cockatiel';
import type { Telnyx } from 'telnyx';
import { HeldBackError } from '../call-sender.js';
import { type PlayedAs, writeClientState, writeLegState } from './client-state.js';
import type { CommandOutcome, PhoneCommand } from './phone-command.js';
import { outcomeOf, TelnyxAwayError } from './telnyx-outcome.js';

/** Telnyx advises to send a command again that is not answered within 500 ms; its id keeps it from happening twice. */
const ANSWER_WITHIN_MS = 2_000;
/** LiveKit's SIP service lets the leg ring until the agent is heard in the room: Telnyx's own 30 s are too short for a cold start. */
const LEG_TIMEOUT_SECONDS = 120;
const FAILURES_UNTIL_OPEN = 5;
/** A hiccup costs less than a step of a call may be late by; a Telnyx that stays away is asked every 2 s. */
const HALF_OPEN_AFTER_MS = [250, 500, 1_000, 2_000] as const;
/** What is held back is there soon after the trial that went well, or goes out by another api, for which Telnyx may not fail. */
const HELD_BACK_MS = 250;

export interface TelnyxClientOptions {
  readonly apiKey: string;
  readonly apiUrl: string;
  readonly voice: string;
  readonly language: string;
  readonly transcription: 'on' | 'off';
  readonly logger: Pick<Logger, 'warn' | 'info'>;
  readonly gauge: Gauge;
  readonly commands: Counter<'command' | 'outcome'>;
}

/**
 * Sends commands for phone calls. Each is tried once: whoever sends keeps it until it is confirmed. After several failures
 * in a row nothing is sent for a while but one command as a trial, whichever comes first. Slowness is no failure: what
 * was not answered in time may have been done, costs its own call alone the wait, and is sent again.
 */
export class TelnyxClient {
  readonly #options: TelnyxClientOptions;
  readonly #breaker = circuitBreaker(
    handleWhen((error) => error instanceof TelnyxAwayError && error.why === 'failing'),
    {
      halfOpenAfter: new IterableBackoff(HALF_OPEN_AFTER_MS),
      breaker: new ConsecutiveBreaker(FAILURES_UNTIL_OPEN),
    },
  );
  #library: Promise<Telnyx> | undefined;

  constructor(options: TelnyxClientOptions) {
    this.#options = options;
    const { gauge, logger } = options;
    gauge.set(0);
    // Each trial that fails breaks it once more.
    let isTold = false;
    this.#breaker.onBreak(() => {
      if (!isTold) logger.warn('Telnyx fails: commands for phone calls wait');
      isTold = true;
    });
    this.#breaker.onReset(() => {
      logger.info('Telnyx answers again: commands for phone calls go out');
      isTold = false;
    });
    this.#breaker.onStateChange((state) => gauge.set(state === CircuitState.Closed ? 0 : 1));
  }

  /**
   * @param commandId the same for the same wish: Telnyx takes it once within 60 s
   * @throws TelnyxAwayError when it has to be sent again; HeldBackError when it was not sent
   */
  async send(callId: string, commandId: string, command: PhoneCommand): Promise<CommandOutcome> {
    try {
      const outcome = await this.#breaker.execute(() => this.#try(callId, commandId, command));
      this.#count(command, outcome.status);
      return outcome;
    } catch (error) {
      if (!(error instanceof BrokenCircuitError)) {
        this.#count(command, error instanceof TelnyxAwayError && error.why === 'slow' ? 'late' : 'failed');
        throw error;
      }
      this.#count(command, 'held_back');
      throw new HeldBackError('Telnyx is not asked right now', HELD_BACK_MS);
    }
  }

  #count({ kind }: PhoneCommand, outcome: string): void {
    this.#options.commands.inc({ command: kind, outcome });
  }

  async #try(callId: string, commandId: string, command: PhoneCommand): Promise<CommandOutcome> {
    const library = await this.#open();
    // For the whole of the answer: the library's own limit is for its beginning.
    const limit = AbortSignal.timeout(ANSWER_WITHIN_MS);
    try {
      await this.#carryOut(library, callId, { command_id: commandId }, command, { signal: limit });
      return { status: 'done' };
    } catch (error) {
      return outcomeOf(error, { isTooLate: limit.aborted });
    }
  }

  /** Loads the library, so that the first caller does not wait for it. */
  async prepare(): Promise<void> {
    await this.#open();
  }

  /** Loaded only here: it is large, and most deployments have no telephone. */
  #open(): Promise<Telnyx> {
    const { apiKey, apiUrl } = this.#options;
    this.#library ??= import('telnyx').then(
      ({ Telnyx }) =>
        new Telnyx({
          apiKey,
          baseURL: apiUrl,
          maxRetries: 0,
          timeout: 2 * ANSWER_WITHIN_MS,
          logLevel: 'off',
        }),
    );
    return this.#library;
  }

  async #carryOut(
    { calls: { actions } }: Telnyx,
    callId: string,
    id: { command_id: string },
    command: PhoneCommand,
    limit: { signal: AbortSignal },
  ): Promise<unknown> {
    switch (command.kind) {
      case 'answer': {
        const answer = { ...id, ...streaming(command.streamUrl), ...this.#transcription() };
        return actions.answer(callId, answer, limit);
      }
      case 'speak': {
        const line = named(command.lineId ?? id.command_id, 'speak');
        return actions.speak(callId, { ...id, ...this.#speech(command.text), ...line }, limit);
      }
      case 'playback_start':
        return actions.startPlayback(
          callId,
          { ...id, audio_url: command.audioUrl, ...named(id.command_id, 'playback') },
          limit,
        );
      case 'playback_stop':
        return actions.stopPlayback(callId, { ...id, stop: 'all' }, limit);
      case 'transfer':
        return actions.transfer(
          callId,
          {
            ...id,
            to: command.to,
            target_leg_client_state: writeLegState(callId),
            timeout_secs: LEG_TIMEOUT_SECONDS,
          },
          limit,
        );
      case 'reject':
        return actions.reject(callId, { ...id, cause: 'USER_BUSY' }, limit);
      case 'hangup':
        return actions.hangup(callId, id, limit);
    }
  }

  #speech(payload: string) {
    const { voice, language } = this.#options;
    return { payload, voice, ...inLanguage(language) };
  }

  #transcription(): object {
    const { transcription, language } = this.#options;
    if (transcription === 'off') return {};
    const transcription_engine_config = { transcription_engine: 'Google', language, interim_results: true };
    return {
      transcription: true,
      transcription_config: {
        transcription_engine: 'Google',
        transcription_engine_config,
        transcription_tracks: 'inbound',
      },
    };
  }
}

/** No other command has it: what is being played is known by it. */
function named(commandId: string, how: PlayedAs) {
  return { client_state: writeClientState({ commandId, how }) };
}

/** The library lists the languages that it knew when it was made; Telnyx itself says which there are. */
function inLanguage(language: string): object {
  return { language };
}

function streaming(streamUrl: string | undefined): object {
  if (streamUrl === undefined) return {};
  return { stream_url: streamUrl, stream_track: 'inbound_track', stream_bidirectional_mode: 'rtp' };
}
