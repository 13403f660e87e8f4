import { type HostRecord, parseHosts } from './fleet-store.js';
import { type LineEntry, parseLine } from './line-codec.js';
import { decodePools } from './policy-codec.js';
import { parseEnded, parseSession } from './session-codec.js';
import { asList, type ScriptAnswer, type ScriptRunner, unexpected } from './script-runner.js';
import type { PoolCounts } from './pool-types.js';
import type { EndedRecord, SessionRecord } from './session-types.js';
import type { Epoch, EpochMs } from './types.js';
import { parseEntries, parseEntry, type RawEntry, type StreamEntry } from './stream-entry.js';
import type { WakeBus } from './wake-bus.js';

/** What a reader has: everything up to and including this entry, of this life of the data. */
export interface StreamPosition {
  /** undefined: of no life, because the data was being recovered. */
  readonly epoch: Epoch | undefined;
  readonly id: string;
}

/** Handed to followers in the very step. A reader that has the entry `after` has missed nothing. */
export interface StreamMessage {
  readonly after: string;
  /** Id of the last of the new entries. */
  readonly last: string;
  /** Absent where there are too many for a message: read them. */
  readonly entries: readonly StreamEntry[] | undefined;
  /** The session is over, and its stream may be gone. */
  readonly ended: EndedRecord | undefined;
}

export type SessionPage =
  | {
      status: 'entries';
      epoch: Epoch | undefined;
      entries: StreamEntry[];
      /** undefined when these are what was left of its time in line; it has another id now. */
      session: SessionRecord | undefined;
      ended: EndedRecord | undefined;
    }
  | { status: 'snapshot'; position: StreamPosition; session: SessionRecord; ended: EndedRecord | undefined }
  | { status: 'ended'; epoch: Epoch | undefined; ended: EndedRecord }
  /** Its turn in line brought a warm agent, and what the reader has is of that agent's stream. */
  | { status: 'moved'; to: string }
  | { status: 'not_found' };

export type OverviewPage =
  | { status: 'entries'; epoch: Epoch | undefined; entries: StreamEntry[] }
  | {
      status: 'snapshot';
      position: StreamPosition;
      /** Newest first, without metadata and last lines. */
      sessions: SessionRecord[];
      /** There are more sessions than were asked for. */
      isCut: boolean;
      pools: PoolCounts[];
      hosts: HostRecord[];
      /** In the order in which they are served; as many as there may be sessions. */
      line: LineEntry[];
      alarms: AlarmRecord[];
    };

export type TimelinePage =
  | {
      status: 'live';
      /** The newest entry. */
      position: StreamPosition;
      session: SessionRecord;
      /** Of its time in line under another id, oldest first. */
      before: StreamEntry[];
      entries: StreamEntry[];
      /** Older entries are gone. */
      isCut: boolean;
    }
  | { status: 'ended'; ended: EndedRecord }
  | { status: 'not_found' };

/** Of a page of a timeline: together they keep Redis from everybody else for about a millisecond. */
const PAGE_ENTRIES = 100;
const PAGE_BYTES = 64 * 1024;

/** The id of the newest entry of a stream that has none. */
const NOTHING = '0-0';

/** Something of an ending session could not be removed. */
export interface AlarmRecord {
  sessionId: string;
  profile: string;
  alarm: string;
  host: string | undefined;
  /** Since when. */
  at: EpochMs;
}

/** What a reader follows: one session, or everything. */
export interface Followed {
  readonly sessionId: string | undefined;
  readonly position: StreamPosition;
}

/** What happens, as streams that can be followed live and read on from any entry that is still there. */
export class EventStore {
  readonly #scripts: ScriptRunner;
  readonly #bus: WakeBus;

  constructor(scripts: ScriptRunner, bus: WakeBus) {
    this.#scripts = scripts;
    this.#bus = bus;
  }

  /**
   * Calls back for everything that is appended from now on, until the returned function is called.
   * @param sessionId undefined for the stream of all
   * @throws RedisUnavailableError when the subscription is not confirmed in time
   */
  follow(
    sessionId: string | undefined,
    onMessage: (message: StreamMessage) => void,
  ): Promise<() => Promise<void>> {
    const channel = sessionId === undefined ? 'events' : `events:${sessionId}`;
    return this.#bus.listen(channel, (message) => onMessage(parseMessage(message)));
  }

  /** Calls back when the data begins another life, and whenever messages may have been missed. */
  async onNewLife(listener: () => void): Promise<void> {
    await this.#bus.listen('events:life', listener);
    this.#bus.onGap(listener);
  }

  /**
   * @param position what the reader has; undefined gives a snapshot, as does one that nobody can go on from
   * @throws RedisRecoveringError when the session may have been lost with the data
   */
  async readSession(
    sessionId: string,
    position: StreamPosition | undefined,
    limit: number,
  ): Promise<SessionPage> {
    const answer = await this.#scripts.run('read-events', {
      sessionId,
      epoch: position?.epoch,
      after: position?.id,
      limit,
    });
    const epoch = epochOf(answer);
    const ended = answer.ended ? parseEnded(answer.ended) : undefined;
    switch (answer.status) {
      case 'entries': {
        const session = answer.session ? parseSession(answer.session) : undefined;
        return { status: 'entries', epoch, entries: parseEntries(answer.entries), session, ended };
      }
      case 'snapshot': {
        const position = { epoch, id: String(answer.last) };
        return { status: 'snapshot', position, session: parseSession(answer.session), ended };
      }
      case 'moved':
        return { status: 'moved', to: String(answer.to) };
      case 'ended':
        return { status: 'ended', epoch, ended: parseEnded(answer.ended) };
      case 'not_found':
        return { status: 'not_found' };
      default:
        throw unexpected('read-events', answer);
    }
  }

  /**
   * Everything that is kept of what happened in a live session until now.
   * @throws RedisRecoveringError when the session may have been lost with the data
   */
  async readTimeline(sessionId: string): Promise<TimelinePage> {
    const answer = await this.#scripts.run('read-timeline', { sessionId });
    switch (answer.status) {
      case 'live': {
        const session = parseSession(answer.session);
        const last = String(answer.last);
        const entries = last === NOTHING ? [] : await this.#readBack(session.id, last);
        // It ended meanwhile, or its data is gone: what was read of it is not all.
        if (entries === undefined) return this.readTimeline(sessionId);
        const { queuedAs } = session;
        const wasInLine = queuedAs !== undefined && queuedAs !== session.id;
        return {
          status: 'live',
          position: { epoch: epochOf(answer), id: last },
          session,
          before: (wasInLine ? await this.#readBack(queuedAs, '+') : undefined) ?? [],
          entries,
          isCut: Number(answer.added) > entries.length,
        };
      }
      case 'ended':
        return { status: 'ended', ended: parseEnded(answer.ended) };
      case 'not_found':
        return { status: 'not_found' };
      default:
        throw unexpected('read-timeline', answer);
    }
  }

  /** The entries of a stream up to that one, oldest first; undefined where the stream is gone before all are read. */
  async #readBack(sessionId: string, newest: string): Promise<StreamEntry[] | undefined> {
    const read: StreamEntry[] = [];
    for (let from = newest; ; ) {
      const page = { sessionId, from, limit: PAGE_ENTRIES, maxBytes: PAGE_BYTES };
      const answer = await this.#scripts.run('read-older-events', page);
      if (answer.status === 'gone') return undefined;
      if (answer.status !== 'page') throw unexpected('read-older-events', answer);
      read.push(...parseEntries(answer.entries));
      if (answer.hasMore !== true) return read.reverse();
      from = `(${read.at(-1)?.id}`;
    }
  }

  /** What a reader of everything has not seen: of all sessions, pools and hosts. */
  async readAll(
    position: StreamPosition | undefined,
    { limit, maxSessions }: { limit: number; maxSessions: number },
  ): Promise<OverviewPage> {
    const answer = await this.#scripts.run('read-all-events', {
      epoch: position?.epoch,
      after: position?.id,
      limit,
      maxSessions,
    });
    const epoch = epochOf(answer);
    switch (answer.status) {
      case 'entries':
        return { status: 'entries', epoch, entries: parseEntries(answer.entries) };
      case 'snapshot':
        return {
          status: 'snapshot',
          position: { epoch, id: String(answer.last) },
          sessions: asList(answer.sessions).map(parseSession),
          isCut: answer.isCut === true,
          pools: decodePools(answer.pools),
          hosts: parseHosts(answer.hosts),
          line: parseLine(answer.line),
          alarms: asList<AlarmRecord>(answer.alarms),
        };
      default:
        throw unexpected('read-all-events', answer);
    }
  }

  /** Which of these have missed something, though no message told them. One round trip for all. */
  async findStale<T extends Followed>(readers: readonly T[]): Promise<T[]> {
    const answer = await this.#scripts.run('find-stale-readers', {
      readers: readers.map(({ sessionId, position }) => ({
        sessionId,
        epoch: position.epoch,
        after: position.id,
      })),
    });
    return asList<number>(answer.stale).flatMap((index) => readers[index] ?? []);
  }
}

function epochOf(answer: ScriptAnswer): Epoch | undefined {
  return typeof answer.epoch === 'string' ? answer.epoch : undefined;
}

function parseMessage(raw: unknown): StreamMessage {
  const { after, last, entries, ended } = (raw ?? {}) as Record<string, unknown>;
  return {
    after: String(after),
    last: String(last ?? after),
    entries: Array.isArray(entries) || ended ? asList<RawEntry>(entries).map(parseEntry) : undefined,
    ended: ended ? parseEnded(ended) : undefined,
  };
}
