import type { Redis } from 'ioredis';
import { toSchemaError } from './errors.js';
import type { ScriptRunner } from './script-runner.js';
import type { WakeBus } from './wake-bus.js';

/** Lines that are kept of each agent for a quick look. */
export const RECENT_LINES = 200;

/** Lines or events in one step; above that the step is split. */
const BATCH = 500;

/** What agents say. */
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
    output: {
      lines: readonly string[];
      events: readonly { type: string; data: unknown }[];
      /** Bytes of the log and of the events file that are consumed with this batch. */
      logOffset?: number | undefined;
      eventsOffset?: number | undefined;
    },
  ): Promise<'ok' | 'superseded'> {
    const lines = output.lines.slice(-RECENT_LINES);
    const events = output.events.map((event) => ({ type: event.type, json: JSON.stringify(event.data) }));
    for (let from = 0; from === 0 || from < events.length; from += BATCH) {
      const isLast = from + BATCH >= events.length;
      const answer = await this.#scripts.run('append-agent-output', {
        ...ref,
        lines: from === 0 ? lines : [],
        events: events.slice(from, from + BATCH),
        keep: RECENT_LINES,
        ...(isLast ? { logOffset: output.logOffset, eventsOffset: output.eventsOffset } : {}),
      });
      if (answer.status !== 'ok') return 'superseded';
    }
    return 'ok';
  }

  /** The last lines, oldest first. */
  async recentLines(sessionId: string, count: number): Promise<string[]> {
    try {
      return await this.#connection.lrange(`${this.#keyPrefix}agent:${sessionId}:logs`, -count, -1);
    } catch (error) {
      throw toSchemaError(error, 'recentLines');
    }
  }

  /** Calls back for every new line until the returned function is called. */
  async followLines(sessionId: string, onLine: (line: string) => void): Promise<() => Promise<void>> {
    return this.#bus.listen(`logs:${sessionId}`, (message) => {
      if (Array.isArray(message)) for (const line of message) onLine(String(line));
    });
  }
}
