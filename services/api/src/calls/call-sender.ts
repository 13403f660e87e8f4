import type { CallCommand, CallMedium, CallRecord } from '@greenroom/redis-schema';

/**
 * What became of a command. `confirmed`: it has arrived. `sent`: it is on its way, and an event will prove it; until then it
 * is sent again. `refused`: it will never be taken. `gone`: the call is over.
 */
export type SendOutcome = 'confirmed' | 'sent' | 'refused' | 'gone';

/** `unsent`: its time is over, and nobody could be reached in it. */
export type CommandOutcome = SendOutcome | 'unsent';

/** One way to reach a call. The end of its session and another agent for it go through the ordinary doors, not through this. */
export interface CallSender {
  readonly medium: CallMedium;
  /**
   * Of a LiveKit session it is given `say` and `unsay` alone, of a phone call `end` too: hang up.
   * @throws when nobody can tell, or with a HeldBackError: it is sent again, with the same id
   */
  send(call: CallRecord, command: CallCommand): Promise<SendOutcome>;
}

/** Nobody was asked: where the command goes to, things go wrong right now. It is worth another attempt this soon. */
export class HeldBackError extends Error {
  override readonly name = 'HeldBackError';
  constructor(
    message: string,
    readonly retryInMs: number,
  ) {
    super(message);
  }
}
