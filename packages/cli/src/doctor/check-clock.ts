import { failure, type Finding, ok, warning } from './finding.js';

/** Leases and deadlines are in milliseconds; LiveKit's tokens and signed webhooks bear seconds. */
const WARN_MS = 500;
const FAIL_MS = 5_000;

export interface ClockReading {
  /** What the other clock said. Milliseconds since 1970. */
  readonly theirs: number;
  /** Our clock, before and after the question. */
  readonly askedAt: number;
  readonly answeredAt: number;
  /** The other clock told no more than this: an HTTP date is cut to seconds. */
  readonly precisionMs: number;
}

/** How far our clock is from theirs, as far as that can be known: positive where ours is ahead. */
export function judgeClock(check: string, name: string, reading: ClockReading): Finding {
  const { theirs, askedAt, answeredAt, precisionMs } = reading;
  const offset = Math.round((askedAt + answeredAt) / 2 - (theirs + precisionMs / 2));
  const unsure = Math.ceil((answeredAt - askedAt) / 2 + precisionMs / 2);
  const atLeast = Math.max(0, Math.abs(offset) - unsure);
  const how = `${Math.abs(offset)} ms ${offset >= 0 ? 'ahead of' : 'behind'} that of ${name} (give or take ${unsure} ms)`;
  if (atLeast < WARN_MS)
    return ok(
      check,
      `The clock of this machine is right by ${name}: within ${Math.max(unsure, Math.abs(offset))} ms.`,
    );
  const fix = 'On whichever is wrong: sudo timedatectl set-ntp true (or: sudo chronyc makestep)';
  if (atLeast < FAIL_MS) return warning(check, `The clock of this machine is ${how}.`, fix);
  return failure(check, `The clock of this machine is ${how}: tokens and deadlines go wrong.`, fix);
}

/** By the Date header of an HTTP answer. Undefined where there is none. */
export function readDateHeader(
  headers: Headers,
  askedAt: number,
  answeredAt: number,
): ClockReading | undefined {
  const theirs = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(theirs) ? undefined : { theirs, askedAt, answeredAt, precisionMs: 1_000 };
}
