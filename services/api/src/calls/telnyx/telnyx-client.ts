import type { Counter, Gauge, Logger } from '@greenroom/service-kit';
import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel';
import type { Telnyx } from 'telnyx';
import { OTHER_LEG, writeClientState } from './client-state.js';
import type { CommandOutcome, PhoneCommand } from './phone-command.js';

/** Telnyx advises to send a command again that is not answered within 500 ms; its id keeps it from happening twice. */
const ANSWER_WITHIN_MS = 2_000;
const FAILURES_UNTIL_OPEN = 5;
const HALF_OPEN_AFTER_MS = 2_000;

/** https://developers.telnyx.com/api/errors: the call has ended; there is no such call. */
const GONE_CODES: ReadonlySet<string> = new Set(['90018', '90015', '10005']);

/** Trying again may help: an account that is blocked or a key that is wrong is repaired by somebody. */
const RETRIED_STATUSES: ReadonlySet<number> = new Set([401, 402, 403, 408, 409, 429]);

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

/** Telnyx did not do it, and may do it later. */
export class TelnyxAwayError extends Error {
  override readonly name = 'TelnyxAwayError';
}

/**
 * Sends commands for phone calls. Each is tried once: whoever sends keeps it until it is confirmed. After several failures
 * in a row nobody is asked for a while but for one trial, so that a Telnyx that hangs is not hung upon by every call.
 */
export class TelnyxClient {
  readonly #options: TelnyxClientOptions;
  readonly #breaker = circuitBreaker(
    handleWhen((error) => error instanceof TelnyxAwayError),
    { halfOpenAfter: HALF_OPEN_AFTER_MS, breaker: new ConsecutiveBreaker(FAILURES_UNTIL_OPEN) },
  );
  #library: Promise<Telnyx> | undefined;

  constructor(options: TelnyxClientOptions) {
    this.#options = options;
    const { gauge, logger } = options;
    gauge.set(0);
    this.#breaker.onBreak(() => logger.warn('Telnyx does not answer: commands for phone calls wait'));
    this.#breaker.onReset(() => logger.info('Telnyx answers again: commands for phone calls go out'));
    this.#breaker.onStateChange((state) => gauge.set(state === CircuitState.Closed ? 0 : 1));
  }

  /**
   * @param commandId the same for the same wish: Telnyx takes it once within 60 s
   * @throws TelnyxAwayError when it has to be sent again
   */
  async send(callId: string, commandId: string, command: PhoneCommand): Promise<CommandOutcome> {
    try {
      const outcome = await this.#breaker.execute(() => this.#try(callId, commandId, command));
      this.#count(command, outcome.status);
      return outcome;
    } catch (error) {
      this.#count(command, error instanceof BrokenCircuitError ? 'held_back' : 'failed');
      if (error instanceof BrokenCircuitError) throw new TelnyxAwayError('Telnyx is not asked right now');
      throw error;
    }
  }

  #count({ kind }: PhoneCommand, outcome: string): void {
    this.#options.commands.inc({ command: kind, outcome });
  }

  async #try(callId: string, commandId: string, command: PhoneCommand): Promise<CommandOutcome> {
    const library = await this.#open();
    try {
      await this.#carryOut(library, callId, commandId, command);
      return { status: 'done' };
    } catch (error) {
      return outcomeOf(error);
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
        new Telnyx({ apiKey, baseURL: apiUrl, maxRetries: 0, timeout: ANSWER_WITHIN_MS, logLevel: 'off' }),
    );
    return this.#library;
  }

  async #carryOut(
    { calls: { actions } }: Telnyx,
    callId: string,
    commandId: string,
    command: PhoneCommand,
  ): Promise<unknown> {
    const { voice, language } = this.#options;
    switch (command.kind) {
      case 'answer':
        return actions.answer(callId, {
          command_id: commandId,
          ...streaming(command.streamUrl),
          ...this.#transcription(),
        });
      case 'speak':
        return actions.speak(callId, {
          command_id: commandId,
          payload: command.text,
          voice,
          ...inLanguage(language),
          // No other command has it: what is being spoken is known by it.
          client_state: writeClientState({ commandId }),
        });
      case 'playback_start':
        return actions.startPlayback(callId, { command_id: commandId, audio_url: command.audioUrl });
      case 'playback_stop':
        return actions.stopPlayback(callId, { command_id: commandId, stop: 'all' });
      case 'transfer':
        return actions.transfer(callId, {
          command_id: commandId,
          to: command.to,
          target_leg_client_state: OTHER_LEG,
        });
      case 'reject':
        return actions.reject(callId, { command_id: commandId, cause: 'USER_BUSY' });
      case 'hangup':
        return actions.hangup(callId, { command_id: commandId });
    }
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

/** The library lists the languages that it knew when it was made; Telnyx itself says which there are. */
function inLanguage(language: string): object {
  return { language };
}

function streaming(streamUrl: string | undefined): object {
  if (streamUrl === undefined) return {};
  return { stream_url: streamUrl, stream_track: 'inbound_track', stream_bidirectional_mode: 'rtp' };
}

/** @throws TelnyxAwayError */
function outcomeOf(error: unknown): CommandOutcome {
  const { status, error: body } = error as { status?: unknown; error?: unknown };
  if (typeof status !== 'number') throw new TelnyxAwayError('Telnyx did not answer', { cause: error });
  const codes = codesIn(body);
  if (status === 404 || codes.some((code) => GONE_CODES.has(code))) return { status: 'gone' };
  if (status >= 500 || RETRIED_STATUSES.has(status)) {
    throw new TelnyxAwayError(`Telnyx answered ${status}`, { cause: error });
  }
  // Its title may repeat what was to be said: only the numbers are told.
  return { status: 'refused', problem: `Telnyx answered ${[status, ...codes].join(' ')}` };
}

function codesIn(body: unknown): string[] {
  const errors: unknown = (body as { errors?: unknown } | null | undefined)?.errors;
  if (!Array.isArray(errors)) return [];
  return errors.flatMap((it: unknown) => {
    const code = (it as { code?: unknown } | null)?.code;
    return typeof code === 'string' || typeof code === 'number' ? [String(code).slice(0, 16)] : [];
  });
}
