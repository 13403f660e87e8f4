import type { HostView, PoolView, SourceStreamEvent } from '@greenroom/contracts';
import { type StreamEvent, followEvents } from '../../shared/event-stream.js';
import { askAsAdmin, isRefused, NO_LONGER, readAdminToken, signOut } from '../door/admin-token.js';
import type { Connection, Watched } from './connection.js';
import type { LiveEvent, LiveStore } from './live-store.js';

/** The api says something every 15 s, if only that it is still there. */
const SILENCE_LIMIT_MS = 25_000;
/** How long a start that failed is kept, and how often to look for those that are over. */
const FAILED_KEPT_MS = 300_000;
const LOOK_FOR_FAILED_MS = 10_000;
/** Of more sessions than a snapshot has, another one tells when so few are left of those that it had. */
const REFILL_BELOW = 500;
const LOST = 'The connection to the server was lost.';
const AWAY = 'The server cannot read its state: Redis does not answer. Calls go on.';
const KNOWN: ReadonlySet<string> = new Set(['snapshot', 'session', 'pool', 'host', 'load', 'line', 'alarm']);

export interface Following {
  readonly store: LiveStore;
  readonly connection: Watched<Connection>;
  /** How far the clock of the server is ahead of this browser's, in milliseconds. */
  readonly clock: Watched<number>;
}

/** Keeps the store at what the api tells, until it is stopped. One stream, and no question again and again. */
export function follow(following: Following): () => void {
  const { store, clock } = following;
  const heard: Heard = { at: undefined };
  let stop = followStream(following, heard);
  const refill = (): void => {
    const { isCut, sessions } = store.read();
    if (!isCut || sessions.size >= REFILL_BELOW) return;
    stop();
    stop = followStream(following, heard);
  };
  const dropFailed = (): void => store.dropFailedBefore(Date.now() + clock.read() - FAILED_KEPT_MS);
  const unsubscribe = store.subscribe(refill);
  const timer = setInterval(dropFailed, LOOK_FOR_FAILED_MS);
  return () => {
    stop();
    unsubscribe();
    clearInterval(timer);
  };
}

/** When the api was last heard, by this browser's clock. */
interface Heard {
  at: number | undefined;
}

function followStream({ store, connection, clock }: Following, heard: Heard): () => void {
  let attempts = 0;
  let hasSnapshot = false;
  let isSourceAway = false;
  const lose = (why: string): void => {
    const isNew = heard.at === undefined || connection.read().kind === 'connecting';
    connection.set(isNew ? { kind: 'connecting', why } : { kind: 'lost', asOf: heard.at ?? 0, why });
  };
  return followEvents({
    path: '/api/sessions/events',
    key: readAdminToken() ?? undefined,
    timing: { silenceLimitMs: SILENCE_LIMIT_MS, longestRetryMs: 5_000 },
    onSign: (serverTime) => {
      // While Redis is away the api goes on saying that it is there, and knows no more than we do.
      if (!isSourceAway) heard.at = Date.now();
      if (serverTime !== undefined) clock.set(serverTime - Date.now());
    },
    onEvent: (event) => {
      hasSnapshot = true;
      const source = event.event === 'source' ? (event.data as SourceStreamEvent) : undefined;
      isSourceAway = source?.isAway === true;
      if (source?.isAway) {
        heard.at = Date.parse(source.answeredAt) - clock.read();
        return lose(AWAY);
      }
      if (connection.read().kind !== 'live') connection.set({ kind: 'live' });
      take(event, store);
    },
    onStatus: (status) => {
      // Whoever reads on from where it was has missed nothing once it is open; who comes for the first time waits for the snapshot.
      if (status === 'open' && hasSnapshot) connection.set({ kind: 'live' });
      isSourceAway = false;
      if (status === 'connecting' && attempts++ > 0) lose(LOST);
    },
    onOver: (problem) => {
      if (problem && isRefused(problem)) signOut(NO_LONGER);
      else connection.set({ kind: 'over', asOf: heard.at, why: problem?.message ?? LOST });
    },
  });
}

function take({ event, data }: StreamEvent, store: LiveStore): void {
  if (!KNOWN.has(event) || data === undefined) return;
  const told = { name: event, data } as LiveEvent;
  lookUp(told, store);
  store.take(told);
}

/** What an event does not say, and changes only together with such an event: policies, and hosts that are new. */
function lookUp({ name, data }: LiveEvent, store: LiveStore): void {
  const { pools, hosts } = store.read();
  if (name === 'pool' && pools.get(data.profile)?.target !== data.target) pooled.soon(store);
  if (name === 'host' && hosts.get(data.host)?.state !== data.state) hosted.soon(store);
}

const LOOK_UP_AFTER_MS = 500;

/** Asks once for many reasons to ask. An answer that does not come leaves what is known; the next snapshot says it all. */
class Question {
  #isDue = false;
  readonly #ask: (store: LiveStore) => Promise<void>;

  constructor(ask: (store: LiveStore) => Promise<void>) {
    this.#ask = ask;
  }

  soon(store: LiveStore): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => {
      this.#isDue = false;
      this.#ask(store).catch(() => undefined);
    }, LOOK_UP_AFTER_MS);
  }
}

/** After something was done to a pool that its events do not tell. */
export async function refreshPools(store: LiveStore): Promise<void> {
  store.takePools((await askAsAdmin<{ pools: PoolView[] }>('/api/pool')).pools);
}

export async function refreshHosts(store: LiveStore): Promise<void> {
  store.takeHosts((await askAsAdmin<{ hosts: HostView[] }>('/api/hosts')).hosts);
}

const pooled = new Question(refreshPools);
const hosted = new Question(refreshHosts);
