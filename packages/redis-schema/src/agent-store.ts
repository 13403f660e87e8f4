import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { toSchemaError } from './errors.js';
import { asList, type ScriptRunner } from './script-runner.js';
import type { EpochMs } from './types.js';
import type { WakeBus } from './wake-bus.js';

/** Lines that are kept of each agent for a quick look. */
export const RECENT_LINES = 200;

/** Lines or events in one step; above that the step is split. */
const BATCH = 500;

/** Of a transcript only what is final is worth keeping. */
function isFinalLine({ type, data }: AgentOutputBatch['events'][number]): boolean {
  return type === 'transcript' && (data as { final?: unknown }).final === true;
}

/** What was read of one of an agent's two files. */
export interface AgentOutputBatch {
  lines: readonly string[];
  /** When the lines were printed, as far as anybody knows; default now. */
  at?: EpochMs | undefined;
  events: readonly { type: string; data: unknown }[];
  /** Which file it was read from, or that we say it ourselves; default its log. */
  source?: 'log' | 'events' | 'spawner' | undefined;
  /** Bytes of that file that are consumed with this batch. */
  offset?: number | undefined;
  /** A sign of readiness that stood in it: whoever reads on from the offset does not see it again. */
  sign?: 'patternSeen' | 'readySaid' | undefined;
  /** Names the batch: given again because its answer was lost, it is taken once. */
  id?: string | undefined;
}

/** One that an agent printed, as it may be shown. */
export interface LogLine {
  text: string;
  /** When it was printed, as far as anybody knows; undefined where nobody does. */
  at: EpochMs | undefined;
}

/** One look at what an agent uses, with all that it has started. */
export interface LoadRecord {
  at: EpochMs;
  /** Of one core, since the look before. */
  cpuPercent: number;
  memoryBytes: number;
  processes: number;
}

function parseLoad(sample: string): LoadRecord {
  const [at = 0, cpuPercent = 0, memoryBytes = 0, processes = 0] = sample.split(' ').map(Number);
  return { at, cpuPercent, memoryBytes, processes };
}

/** What agents say, and what they use. */
export class AgentStore {
  readonly #scripts: ScriptRunner;
  readonly #connection: Redis;
  readonly #bus: WakeBus;
  readonly #keyPrefix: string;

  constructor(scripts: ScriptRunner, connection: Redis, bus: WakeBus, keyPrefix: string) {
    this.#scripts = scripts;
    this.#connection = connection;
    this.#bus = bus;
    this.#keyPrefix = keyPrefix;
  }

  /** Adds recent lines and events of a live launch; late ones of an ended session are dropped. */
  async append(
    ref: { sessionId: string; generation: number },
    output: AgentOutputBatch,
  ): Promise<'ok' | 'superseded'> {
    const lines = output.lines.slice(-RECENT_LINES);
    const events = output.events.map((event) => ({
      type: event.type,
      json: JSON.stringify(event.data),
      ...(isFinalLine(event) && { isLine: true }),
    }));
    const batch = output.id ?? randomUUID();
    for (let from = 0; from === 0 || from < events.length; from += BATCH) {
      const isLast = from + BATCH >= events.length;
      const answer = await this.#scripts.run('append-agent-output', {
        ...ref,
        source: output.source ?? 'log',
        batch,
        part: from / BATCH,
        lines: from === 0 ? lines : [],
        at: output.at,
        skipped: output.lines.length - lines.length,
        events: events.slice(from, from + BATCH),
        keep: RECENT_LINES,
        ...(isLast ? { offset: output.offset, sign: output.sign } : {}),
      });
      if (answer.status !== 'ok') return 'superseded';
    }
    return 'ok';
  }

  /** The last lines, oldest first. */
  async recentLines(sessionId: string, count: number): Promise<LogLine[]> {
    const { lines, times } = await this.#scripts.run('read-recent-lines', { sessionId, count });
    const stamps = asList<string>(times);
    const texts = asList<string>(lines);
    const untimed = texts.length - stamps.length;
    return texts.map((text, index) => ({ text, at: parseTime(stamps[index - untimed]) }));
  }

  /** What its agents used at each health check, oldest first; of a call that is over, too, for an hour. */
  async load(sessionId: string): Promise<LoadRecord[]> {
    try {
      const [live, kept] = await Promise.all(
        [`agent:${sessionId}:load`, `history:load:${sessionId}`].map((key) =>
          this.#connection.lrange(this.#keyPrefix + key, 0, -1),
        ),
      );
      return [...(kept ?? []), ...(live ?? [])].map(parseLoad);
    } catch (error) {
      throw toSchemaError(error, 'load');
    }
  }

  /** Calls back for every new line until the returned function is called. */
  async followLines(sessionId: string, onLine: (line: LogLine) => void): Promise<() => Promise<void>> {
    let at: EpochMs | undefined;
    return this.#bus.listen(`logs:${sessionId}`, (message) => {
      if (!Array.isArray(message)) {
        at = parseTime((message as { at?: unknown } | undefined)?.at);
        return;
      }
      for (const text of message) onLine({ text: String(text), at });
      at = undefined;
    });
  }
}

function parseTime(stamp: unknown): EpochMs | undefined {
  const at = Number(stamp);
  return stamp !== undefined && Number.isSafeInteger(at) ? at : undefined;
}
