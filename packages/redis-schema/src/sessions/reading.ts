import type { SessionState } from '@greenroom/contracts';
import { decodeCursor, encodeCursor } from '../cursor.js';
import type { HashReader } from '../hash-reader.js';
import { type LineEntry, parseLine } from '../line-codec.js';
import { asList, type ScriptAnswer, type ScriptRunner, unexpected } from '../script-runner.js';
import type { CommandName } from '../scripts.js';
import { parseEnded, parseSession } from '../session-codec.js';
import type { EndedRecord, SessionRecord } from '../session-types.js';

export type ReadResult =
  | { status: 'live'; session: SessionRecord }
  | { status: 'ended'; ended: EndedRecord }
  /** Over for long, or never there. What may have been lost with the data is not this: reading it throws. */
  | { status: 'not_found' };

export interface ListFilter {
  status?: SessionState | undefined;
  userId?: string | undefined;
  profile?: string | undefined;
  host?: string | undefined;
  /** Since it has its caller, or since it was made where it has none. */
  olderThanMs?: number | undefined;
  /** Part of its id, its user's id or name, in any case. */
  search?: string | undefined;
}

export interface ListPage {
  sessions: SessionRecord[];
  /** Opaque; absent on the last page. */
  nextCursor: string | undefined;
}

/** What is known of sessions that live, and for a while of those that have ended. */
export class SessionReads {
  readonly #scripts: ScriptRunner;
  readonly #hashes: HashReader;

  constructor(scripts: ScriptRunner, hashes: HashReader) {
    this.#scripts = scripts;
    this.#hashes = hashes;
  }

  /**
   * What is known of an id: the live session, else what is remembered of its end. One round trip where something is.
   * @throws RedisRecoveringError when it may have been lost with the data
   */
  async read(sessionId: string): Promise<ReadResult> {
    // A host asks by a step, which knows the life of the data.
    if (this.#scripts.isHost) return this.#readByStep(sessionId);
    const [live, ended] = await this.#hashes.readBoth(`session:${sessionId}`, `ended:${sessionId}`);
    if (live !== undefined) return { status: 'live', session: parseSession({ ...live, id: sessionId }) };
    if (ended !== undefined) return { status: 'ended', ended: parseEnded({ ...ended, id: sessionId }) };
    return this.#readByStep(sessionId);
  }

  /** The session's hash as it stands, for debugging; empty when there is none. */
  async readRaw(sessionId: string): Promise<Record<string, string>> {
    return (await this.#hashes.read(`session:${sessionId}`)) ?? {};
  }

  /** Live sessions, newest first. The cursor is opaque; a malformed one reads as the first page. */
  async list(filter: ListFilter, page: { cursor?: string | undefined; limit: number }): Promise<ListPage> {
    const cursor = decodeCursor(page.cursor);
    const answer = await this.#scripts.run('list-sessions', {
      filter,
      limit: page.limit,
      beforeScore: cursor?.score,
      beforeId: cursor?.id,
    });
    const next = answer.next as { score: string; id: string } | null | undefined;
    return {
      sessions: asList(answer.sessions).map(parseSession),
      nextCursor: next ? encodeCursor(next) : undefined,
    };
  }

  /** Who waits in line, in the order in which they are served: how many there are, and the first of them. */
  async readLine(limit: number): Promise<{ waiting: number; line: LineEntry[] }> {
    const answer = await this.#scripts.run('read-line', { limit });
    return { waiting: Number(answer.waiting), line: parseLine(answer.line) };
  }

  /** Marks the rooms of this deployment, where several share a LiveKit. */
  deployment(): Promise<string | undefined> {
    return this.#hashes.readText('deployment');
  }

  async #readByStep(sessionId: string): Promise<ReadResult> {
    return parseRead('read-session', await this.#scripts.run('read-session', { sessionId }));
  }
}

/** What a step answers that reads a session. */
export function parseRead(name: CommandName, answer: ScriptAnswer): ReadResult {
  switch (answer.status) {
    case 'live':
      return { status: 'live', session: parseSession(answer.session) };
    case 'ended':
      return { status: 'ended', ended: parseEnded(answer.ended) };
    case 'not_found':
      return { status: 'not_found' };
    default:
      throw unexpected(name, answer);
  }
}
