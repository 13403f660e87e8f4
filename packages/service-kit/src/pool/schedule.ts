import type { PoolPolicy, ScheduleEntry, SchedulePolicy } from '@greenroom/contracts';
import { Cron } from 'croner';

/** What a schedule says at one moment, and how long it goes on saying so. */
export interface ScheduledSize {
  size: number;
  /** The entry in force; undefined while it is `base`. */
  entry: ScheduleEntry | undefined;
  /** Milliseconds since 1970. From then on ask again; undefined: never again. */
  untilMs: number | undefined;
}

/**
 * The entry in force is the one that fired last, unless its time is over. Of two that fire at the same moment the later in
 * the list holds.
 * @param atMs milliseconds since 1970
 */
export function scheduledSize(policy: SchedulePolicy, atMs: number): ScheduledSize {
  let latest: { entry: ScheduleEntry; firedAtMs: number } | undefined;
  let nextFireMs: number | undefined;
  for (const entry of policy.entries) {
    const cron = parseCron(entry.cron, policy.timeZone);
    const firedAtMs = lastRunMs(cron, atMs);
    if (firedAtMs !== undefined && firedAtMs >= (latest?.firedAtMs ?? 0)) latest = { entry, firedAtMs };
    nextFireMs = earlier(nextFireMs, cron.nextRun(new Date(atMs))?.getTime());
  }
  if (latest === undefined) return { size: policy.base, entry: undefined, untilMs: nextFireMs };
  const { entry, firedAtMs } = latest;
  const overMs = entry.forSeconds === undefined ? undefined : firedAtMs + entry.forSeconds * 1000;
  if (overMs !== undefined && overMs <= atMs)
    return { size: policy.base, entry: undefined, untilMs: nextFireMs };
  return { size: entry.size, entry, untilMs: earlier(nextFireMs, overMs) };
}

/** A policy as it is set: with what it says at this moment, if it is a schedule. */
export function policySetting(
  policy: PoolPolicy,
  atMs: number,
): { policy: PoolPolicy; scheduled?: { size: number; untilMs: number | undefined } } {
  if (policy.kind !== 'schedule') return { policy };
  const { size, untilMs } = scheduledSize(policy, atMs);
  return { policy, scheduled: { size, untilMs } };
}

/** What croner takes beside these (a date, `@yearly`) is none to cron, and would be kept for ever. */
const FIVE_OR_SIX_FIELDS = /^\s*\S+(\s+\S+){4,5}\s*$/;

/** @throws Error that says what is wrong with it: it completes a sentence that begins with its name */
export function checkCron(text: string): void {
  if (!FIVE_OR_SIX_FIELDS.test(text)) {
    throw new Error(
      'is no cron expression: it has five fields, or six with seconds first, such as "0 8 * * 1-5"',
    );
  }
  let next: Date | null;
  try {
    next = parseCron(text, 'UTC').nextRun();
  } catch (error) {
    throw new Error(`is no cron expression: ${(error as Error).message.replace(/^CronPattern: /, '')}`, {
      cause: error,
    });
  }
  if (next === null) throw new Error('never fires');
}

/** @throws Error that says what is wrong with it: it completes a sentence that begins with its name */
export function checkTimeZone(name: string): void {
  try {
    Intl.DateTimeFormat('en', { timeZone: name });
  } catch (error) {
    throw new Error('is no time zone; it takes names like Europe/Vienna', { cause: error });
  }
}

function parseCron(text: string, timezone: string): Cron {
  return new Cron(text, { timezone, paused: true, mode: '5-or-6-parts' });
}

/** One that fires at this very moment has fired. */
function lastRunMs(cron: Cron, atMs: number): number | undefined {
  return cron.previousRuns(1, new Date(atMs + 1))[0]?.getTime();
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}
