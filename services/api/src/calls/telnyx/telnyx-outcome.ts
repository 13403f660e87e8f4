import type { CommandOutcome } from './phone-command.js';

/** https://developers.telnyx.com/api/errors: the call has ended; there is no such call. */
const GONE_CODES: ReadonlySet<string> = new Set(['90018', '90015', '10005']);

/** Of the whole account, which somebody may repair: a key that is wrong, a bill that is not paid, too many requests. */
const FAILING_STATUSES: ReadonlySet<number> = new Set([401, 402, 429]);

/** Of this command; trying again may help. */
const RETRIED_STATUSES: ReadonlySet<number> = new Set([403, 408, 409]);

/**
 * Telnyx did not do it, as far as is known, and may do it later.
 * - `failing`: whatever is asked of it now
 * - `slow`: it has not answered in time, and may have done it all the same
 * - `not_now`: this command, which says nothing of others
 */
export class TelnyxAwayError extends Error {
  override readonly name = 'TelnyxAwayError';
  constructor(
    message: string,
    readonly why: 'failing' | 'slow' | 'not_now',
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * What a command that did not succeed means.
 * @param error as the library throws it
 * @throws TelnyxAwayError when it is to be sent again
 */
export function outcomeOf(error: unknown, { isTooLate }: { isTooLate: boolean }): CommandOutcome {
  const { status, error: body } = error as { status?: unknown; error?: unknown };
  if (isTooLate) throw new TelnyxAwayError('Telnyx did not answer in time', 'slow', { cause: error });
  if (typeof status !== 'number')
    throw new TelnyxAwayError('Telnyx did not answer', 'failing', { cause: error });
  const codes = codesIn(body);
  if (status === 404 || codes.some((code) => GONE_CODES.has(code))) return { status: 'gone' };
  const isFailing = status >= 500 || FAILING_STATUSES.has(status);
  if (isFailing || RETRIED_STATUSES.has(status)) {
    throw new TelnyxAwayError(`Telnyx answered ${status}`, isFailing ? 'failing' : 'not_now', {
      cause: error,
    });
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
