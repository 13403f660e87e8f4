import type {
  AlarmStreamEvent,
  HostStreamEvent,
  HostView,
  LoadStreamEvent,
  OverviewView,
  PoolStreamEvent,
  PoolView,
  SessionStepEvent,
} from '@greenroom/contracts';
import type { SessionFilter } from '../api/admin-api.js';
import type { StreamEvent } from '../api/event-stream.js';
import type { ListedSession } from '../output/session-columns.js';

export type BoardPool = Pick<PoolView, 'profile' | 'target' | 'ready' | 'warming'>;
export type BoardHost = Pick<HostView, 'host' | 'state'>;

/** What `GET /api/sessions/events` has told so far. */
export interface Board {
  readonly sessions: ReadonlyMap<string, ListedSession>;
  readonly pools: ReadonlyMap<string, BoardPool>;
  readonly hosts: ReadonlyMap<string, BoardHost>;
  readonly recovering: boolean;
  /** More sessions live than the stream lists. */
  readonly isCut: boolean;
}

export const EMPTY_BOARD: Board = {
  sessions: new Map(),
  pools: new Map(),
  hosts: new Map(),
  recovering: false,
  isCut: false,
};

/** Events that it does not know change nothing. */
export function applyEvent(board: Board, { event, data }: StreamEvent): Board {
  switch (event) {
    case 'snapshot':
      return fromSnapshot(data as OverviewView);
    case 'session':
      return { ...board, sessions: withStep(board.sessions, data as SessionStepEvent) };
    case 'load':
      return { ...board, sessions: withLoad(board.sessions, data as LoadStreamEvent) };
    case 'alarm':
      return { ...board, sessions: withAlarm(board.sessions, data as AlarmStreamEvent) };
    case 'pool':
      return { ...board, pools: withPool(board.pools, data as PoolStreamEvent) };
    case 'host':
      return { ...board, hosts: withHost(board.hosts, data as HostStreamEvent) };
    default:
      return board;
  }
}

function fromSnapshot({ sessions, pools, hosts, recovering, isCut }: OverviewView): Board {
  return {
    sessions: new Map(sessions.map((session) => [session.sessionId, session])),
    pools: new Map(pools.map((pool) => [pool.profile, pool])),
    hosts: new Map(hosts.map((host) => [host.host, host])),
    recovering,
    isCut,
  };
}

function withStep(sessions: Board['sessions'], step: SessionStepEvent): Board['sessions'] {
  const next = new Map(sessions);
  if (step.status === 'gone') {
    next.delete(step.sessionId);
    return next;
  }
  const known = sessions.get(step.sessionId);
  const isNewlyAssigned = known?.status === 'pooled' && step.status !== 'pooled' && !step.warm;
  next.set(step.sessionId, {
    sessionId: step.sessionId,
    profile: step.profile,
    status: step.status,
    userId: step.userId ?? known?.userId ?? null,
    userName: step.userName ?? known?.userName ?? null,
    host: step.host ?? known?.host ?? null,
    prewarmed: known?.prewarmed ?? step.warm,
    createdAt: known?.createdAt ?? step.at,
    assignedAt: isNewlyAssigned ? step.at : (known?.assignedAt ?? null),
    restarts: Math.max(known?.restarts ?? 0, restartsIn(step)),
    cpuPercent: known?.cpuPercent ?? null,
    memoryBytes: known?.memoryBytes ?? null,
    ...(known?.alarm !== undefined && { alarm: known.alarm }),
  });
  return next;
}

function restartsIn({ detail }: SessionStepEvent): number {
  const restarts = Number(detail?.['restarts'] ?? 0);
  return Number.isFinite(restarts) ? restarts : 0;
}

function withLoad(sessions: Board['sessions'], load: LoadStreamEvent): Board['sessions'] {
  const known = sessions.get(load.sessionId);
  if (known === undefined) return sessions;
  const { cpuPercent, memoryBytes } = load;
  return new Map(sessions).set(load.sessionId, { ...known, cpuPercent, memoryBytes });
}

function withAlarm(
  sessions: Board['sessions'],
  { sessionId, alarm, isOver }: AlarmStreamEvent,
): Board['sessions'] {
  const known = sessions.get(sessionId);
  if (known === undefined) return sessions;
  const { alarm: _, ...rest } = known;
  return new Map(sessions).set(sessionId, isOver ? rest : { ...rest, alarm });
}

function withPool(
  pools: Board['pools'],
  { profile, target, ready, warming }: PoolStreamEvent,
): Board['pools'] {
  return new Map(pools).set(profile, { profile, target, ready, warming });
}

function withHost(hosts: Board['hosts'], { host, state }: HostStreamEvent): Board['hosts'] {
  const next = new Map(hosts);
  if (state === 'removed') next.delete(host);
  else next.set(host, { host, state });
  return next;
}

/** Newest first, as the api lists them. */
export function sessionsOf(board: Board, filter: SessionFilter): ListedSession[] {
  const matches = (session: ListedSession): boolean =>
    isEmptyOr(filter.status, session.status) &&
    isEmptyOr(filter.userId, session.userId) &&
    isEmptyOr(filter.profile, session.profile) &&
    isEmptyOr(filter.host, session.host);
  return [...board.sessions.values()]
    .filter(matches)
    .sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
}

function isEmptyOr(wanted: string | undefined, value: string | null): boolean {
  return wanted === undefined || wanted === value;
}

/** One line about everything: `12 sessions: 9 ready, 3 starting · warm 3 of 3 · hosts 2 up`. */
export function summarize(board: Board, shown: readonly ListedSession[]): string {
  const pools = [...board.pools.values()];
  const sum = (of: (pool: BoardPool) => number): number => pools.reduce((all, pool) => all + of(pool), 0);
  const alarms = shown.filter(({ alarm }) => alarm !== undefined).length;
  const hosts = counted([...board.hosts.values()].map(({ state }) => state));
  return [
    `${shown.length} session${shown.length === 1 ? '' : 's'}${shown.length > 0 ? `: ${counted(shown.map(({ status }) => status))}` : ''}`,
    `warm ${sum(({ ready }) => ready)} of ${sum(({ target }) => target)}`,
    `hosts ${hosts === '' ? 'none' : hosts}`,
    ...(alarms > 0 ? [`${alarms} alarm${alarms === 1 ? '' : 's'}`] : []),
    ...(board.recovering ? ['recovering'] : []),
    ...(board.isCut ? ['more live than are listed'] : []),
  ].join(' · ');
}

function counted(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => `${count} ${word}`).join(', ');
}
