import { asList, type ScriptRunner } from './script-runner.js';
import { START_TIME_FIELD, StartTimes } from './start-times.js';
import type { EpochMs } from './types.js';

/** What was counted in one interval. */
export interface StatsBucket {
  /** When it begins. */
  at: EpochMs;
  /** Callers who got a session or a place in line, and those of them who got a warm agent at once. */
  starts: number;
  warmStarts: number;
  /** Callers' sessions whose start failed for good. */
  failed: number;
  /** Callers' sessions that are over. */
  ended: number;
  endReasons: Record<string, number>;
  /** Starts that failed for good and agents that crashed, warm ones included. */
  errors: number;
  /** From the question to the caller's first agent. */
  startTimes: StartTimes;
  /** The highest that were seen; undefined where nobody looked. */
  callers: number | undefined;
  capacity: number | undefined;
}

export interface StatsSeries {
  from: EpochMs;
  to: EpochMs;
  stepMs: number;
  /** One for each interval, oldest first; the last is not over yet. */
  buckets: StatsBucket[];
}

/** Intervals of a window; the steps keep both lengths a little longer. */
const WINDOWS = { hour: { interval: 'minute', count: 60 }, day: { interval: 'quarter', count: 96 } };
export type StatsWindow = keyof typeof WINDOWS;

const END_FIELD = /^end:(.+)$/;

/** What the state steps have counted. */
export class StatsStore {
  readonly #scripts: ScriptRunner;

  constructor(scripts: ScriptRunner) {
    this.#scripts = scripts;
  }

  async read(window: StatsWindow): Promise<StatsSeries> {
    const { interval, count } = WINDOWS[window];
    const answer = await this.#scripts.run('read-stats', { interval, count });
    const to = Number(answer.to);
    const stepMs = Number(answer.stepMs);
    const from = to - (to % stepMs) - (count - 1) * stepMs;
    const known = new Map(
      asList<{ at: number; fields: string[] }>(answer.buckets).map(({ at, fields }) => [at, fields]),
    );
    const times = Array.from({ length: count }, (_, i) => from + i * stepMs);
    return { from, to, stepMs, buckets: times.map((at) => parseBucket(at, known.get(at) ?? [])) };
  }
}

function parseBucket(at: EpochMs, flat: readonly string[]): StatsBucket {
  const counts = new Map<string, number>();
  for (let i = 0; i + 1 < flat.length; i += 2) counts.set(flat[i] ?? '', Number(flat[i + 1]));
  const endReasons: Record<string, number> = {};
  const startTimes = new StartTimes();
  for (const [field, value] of counts) {
    const reason = END_FIELD.exec(field)?.[1];
    if (reason !== undefined) endReasons[reason] = value;
    const timeClass = START_TIME_FIELD.exec(field)?.[1];
    if (timeClass !== undefined) startTimes.add(Number(timeClass), value);
  }
  return {
    at,
    starts: counts.get('starts') ?? 0,
    warmStarts: counts.get('warmStarts') ?? 0,
    failed: counts.get('failed') ?? 0,
    ended: counts.get('ended') ?? 0,
    errors: counts.get('errors') ?? 0,
    endReasons,
    startTimes,
    callers: counts.get('callers'),
    capacity: counts.get('capacity'),
  };
}
