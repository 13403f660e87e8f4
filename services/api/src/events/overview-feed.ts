import type { AllStreamEvents } from '@greenroom/contracts';
import {
  type EndedRecord,
  type OverviewPage,
  type RedisSchema,
  type StreamEntry,
  type StreamPosition,
  timeOfEntry,
} from '@greenroom/redis-schema';
import { viewPool } from '../routes/get-pool.js';
import { viewHost } from '../routes/list-hosts.js';
import { viewLineEntry } from '../routes/get-line.js';
import { viewSessionForAdmin } from '../sessions/session-view.js';
import { STREAM_KINDS, type StreamKind, viewAlarm, viewEvent } from './overview-events.js';
import { type Feed, type FeedPage, PAGE_SIZE, type Told } from './feed.js';

/** Sessions in a snapshot. */
const MAX_SESSIONS = 1_000;

/** What an admin wants to hear of. What has no profile or no host is not left out by a filter for one. */
export interface OverviewFilter {
  readonly kinds: readonly StreamKind[];
  readonly profile?: string | undefined;
  readonly host?: string | undefined;
}

/** Every session, pool and host, for admins. */
export class OverviewFeed implements Feed {
  readonly sessionId = undefined;
  readonly #redis: Pick<RedisSchema, 'events'>;
  readonly #filter: OverviewFilter;

  constructor(redis: Pick<RedisSchema, 'events'>, filter: OverviewFilter) {
    this.#redis = redis;
    this.#filter = filter;
  }

  async read(position: StreamPosition | undefined): Promise<FeedPage> {
    const page = await this.#redis.events.readAll(position, { limit: PAGE_SIZE, maxSessions: MAX_SESSIONS });
    if (page.status === 'entries') return { kind: 'entries', epoch: page.epoch, entries: page.entries };
    return { kind: 'snapshot', position: page.position, told: told('snapshot', this.#view(page)) };
  }

  tell({ id, type, data }: StreamEntry): Told | undefined {
    const kind = STREAM_KINDS.find((it) => it === type);
    if (!kind || !this.#isWanted(kind, data)) return undefined;
    return { event: kind, data: viewEvent(kind, data, timeOfEntry(id)) };
  }

  /** Nothing ends this one. */
  tellEnded(_ended: EndedRecord): Told {
    return { event: 'ended', data: {} };
  }

  /** Nobody in line is behind it. */
  async keepAlive(): Promise<boolean> {
    return false;
  }

  #isWanted(kind: StreamKind, { profile, host }: Readonly<Record<string, unknown>>): boolean {
    const filter = this.#filter;
    if (!filter.kinds.includes(kind)) return false;
    // The line is one for all.
    if (kind === 'line') return true;
    if (kind !== 'host' && filter.profile !== undefined && profile !== filter.profile) return false;
    return kind === 'pool' || filter.host === undefined || host === filter.host;
  }

  #view(page: OverviewPage & { status: 'snapshot' }): AllStreamEvents['snapshot'] {
    return {
      recovering: page.position.epoch === undefined,
      sessions: page.sessions
        .filter(({ profile, host }) => this.#isWanted('session', { profile, host }))
        .map(viewSessionForAdmin),
      isCut: page.isCut,
      pools: page.pools.filter(({ profile }) => this.#isWanted('pool', { profile })).map(viewPool),
      hosts: page.hosts.filter(({ id }) => this.#isWanted('host', { host: id })).map(viewHost),
      line: this.#isWanted('line', {}) ? page.line.map(viewLineEntry) : [],
      alarms: page.alarms
        .filter(({ profile, host }) => this.#isWanted('alarm', { profile, host }))
        .map(viewAlarm),
    };
  }
}

function told<Name extends keyof AllStreamEvents>(event: Name, data: AllStreamEvents[Name]): Told {
  return { event, data };
}
