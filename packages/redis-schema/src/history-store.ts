import type { Redis } from 'ioredis';
import { decodeCursor, encodeCursor } from './cursor.js';
import { toSchemaError } from './errors.js';
import { parseHistory, parseTranscriptLine, parseTurn } from './history-codec.js';
import { asList, type ScriptRunner } from './script-runner.js';
import type {
  HistoryFilter,
  HistoryPage,
  HistoryRecord,
  TranscriptLine,
  TurnRecord,
} from './history-types.js';
import { userKeyOf } from './user-key.js';

/** Sessions of one user that are forgotten in one step. */
const FORGET_AT_ONCE = 100;

/** What is kept of sessions that are over. It is written by the steps that end them. */
export class HistoryStore {
  readonly #scripts: ScriptRunner;
  readonly #connection: Redis;
  readonly #keyPrefix: string;
  readonly #onUnreadable: (key: string) => void;

  constructor(
    scripts: ScriptRunner,
    connection: Redis,
    options: { keyPrefix: string; onUnreadable: (key: string) => void },
  ) {
    this.#scripts = scripts;
    this.#connection = connection;
    this.#keyPrefix = options.keyPrefix;
    this.#onUnreadable = options.onUnreadable;
  }

  /** Ended sessions, newest end first, without those that cannot be read. A malformed cursor reads as the first page. */
  async list(
    filter: HistoryFilter,
    page: { cursor?: string | undefined; limit: number },
  ): Promise<HistoryPage> {
    const cursor = decodeCursor(page.cursor);
    const answer = await this.#scripts.run('list-history', {
      filter,
      limit: page.limit,
      beforeScore: cursor?.score,
      beforeId: cursor?.id,
    });
    const next = answer.next as { score: string; id: string } | null | undefined;
    const entries = asList<{ id: string; json: string }>(answer.entries);
    return {
      entries: entries.flatMap(({ id, json }) => this.#parse(id, json) ?? []),
      nextCursor: next ? encodeCursor(next) : undefined,
    };
  }

  /**
   * The entry of one session; undefined for one that is not over, has no entry any more, never had one, or one that cannot
   * be read. The id that it stood in line with finds it too.
   */
  async read(sessionId: string): Promise<HistoryRecord | undefined> {
    try {
      const id = await this.#resolve(sessionId);
      const json = await this.#connection.get(`${this.#keyPrefix}history:${id}`);
      return json === null ? undefined : this.#parse(id, json);
    } catch (error) {
      throw toSchemaError(error, 'readHistory');
    }
  }

  /**
   * Final lines of a session's transcript, oldest first, without those that cannot be read; undefined where none is kept.
   * @param from how many lines to pass over, those that cannot be read included
   * @returns `next` is where the next page begins
   */
  async transcript(
    sessionId: string,
    from: number,
    limit: number,
  ): Promise<{ lines: TranscriptLine[]; next: number | undefined } | undefined> {
    try {
      const name = `transcript:${await this.#resolve(sessionId)}`;
      const key = `${this.#keyPrefix}${name}`;
      const [total, kept] = await Promise.all([
        this.#connection.llen(key),
        this.#connection.lrange(key, from, from + limit - 1),
      ]);
      const lines = kept.flatMap((line) => parseTranscriptLine(line) ?? []);
      if (lines.length < kept.length) this.#onUnreadable(name);
      const end = from + kept.length;
      return total === 0 ? undefined : { lines, next: kept.length > 0 && end < total ? end : undefined };
    } catch (error) {
      throw toSchemaError(error, 'transcript');
    }
  }

  /** When either side of a call that is over spoke: the last {@link MAX_TURNS_KEPT} times, in the order in which they stopped. */
  async turns(sessionId: string): Promise<TurnRecord[]> {
    try {
      const kept = await this.#connection.lrange(`${this.#keyPrefix}turns:${sessionId}`, 0, -1);
      return kept.flatMap((turn) => parseTurn(turn) ?? []);
    } catch (error) {
      throw toSchemaError(error, 'turns');
    }
  }

  #parse(id: string, json: string): HistoryRecord | undefined {
    const entry = parseHistory(id, json);
    if (entry === undefined) this.#onUnreadable(`history:${id}`);
    return entry;
  }

  async #resolve(sessionId: string): Promise<string> {
    return (await this.#connection.get(`${this.#keyPrefix}becomes:${sessionId}`)) ?? sessionId;
  }

  /**
   * Removes what is kept of a user. Live calls are forgotten by the step that ends them; log files go when their host hears
   * of it.
   * @param scope only this client's user of that name; undefined for all
   */
  async forgetUser(userId: string, scope?: string): Promise<{ forgotten: number; live: number }> {
    const userKey = scope === undefined ? undefined : userKeyOf(scope, userId);
    let forgotten = 0;
    for (let skip = 0, isFirst = true; ; isFirst = false) {
      const answer = await this.#scripts.run('forget-user', {
        userId,
        userKey,
        skip,
        limit: FORGET_AT_ONCE,
        isFirst,
      });
      forgotten += Number(answer.forgotten);
      if (answer.more !== true) return { forgotten, live: Number(answer.live) };
      skip = Number(answer.skip);
    }
  }
}
