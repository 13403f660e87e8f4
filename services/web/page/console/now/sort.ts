import { SESSION_STATES } from '@greenroom/contracts';
import { type LiveSession, sinceOf } from '../live/live-state.js';

export interface Sort {
  readonly by: SortKey;
  readonly isDescending: boolean;
}

type Value = string | number | undefined;

/** What each column is sorted by; what is not known comes last, whichever way. */
const VALUES = {
  state: ({ status }) => SESSION_STATES.indexOf(status),
  user: ({ userName, userId }) => (userName ?? userId ?? undefined)?.toLowerCase(),
  profile: ({ profile }) => profile,
  host: ({ host }) => host ?? undefined,
  agent: ({ prewarmed }) => (prewarmed ? 0 : 1),
  start: (session) => startMsOf(session),
  age: (session) => -Date.parse(sinceOf(session)),
  cpu: ({ cpuPercent }) => cpuPercent,
  memory: ({ memoryBytes }) => memoryBytes,
  restarts: ({ restarts }) => restarts,
} satisfies Record<string, (session: LiveSession) => Value>;

export type SortKey = keyof typeof VALUES;
export const SORT_KEYS = Object.keys(VALUES) as SortKey[];

/** Newest first. */
export const DEFAULT_SORT: Sort = { by: 'age', isDescending: false };

/** `age`, `-cpu`; a minus is downwards. */
export function readSort(query: string): Sort {
  const word = new URLSearchParams(query).get('sort') ?? '';
  const by = SORT_KEYS.find((key) => key === word.replace(/^-/, ''));
  return by ? { by, isDescending: word.startsWith('-') } : DEFAULT_SORT;
}

export function writeSort({ by, isDescending }: Sort): string {
  if (by === DEFAULT_SORT.by && isDescending === DEFAULT_SORT.isDescending) return '';
  return `${isDescending ? '-' : ''}${by}`;
}

export function sortSessions(sessions: LiveSession[], { by, isDescending }: Sort): LiveSession[] {
  const valueOf: (session: LiveSession) => Value = VALUES[by];
  const sign = isDescending ? -1 : 1;
  const known = sessions.map((session) => ({ session, value: valueOf(session) }));
  known.sort((a, b) => compare(a.value, b.value, sign) || byAge(a.session, b.session));
  return known.map(({ session }) => session);
}

function compare(a: Value, b: Value, sign: number): number {
  if (a === b) return 0;
  if (a === undefined) return 1;
  if (b === undefined) return -1;
  return a < b ? -sign : sign;
}

function byAge(a: LiveSession, b: LiveSession): number {
  return compare(sinceOf(b), sinceOf(a), 1) || compare(a.sessionId, b.sessionId, 1);
}

/** How long its caller waited for an agent: not at all for a warm one. undefined while it is not known. */
export function startMsOf({ prewarmed, assignedAt, startupTime }: LiveSession): number | undefined {
  if (prewarmed && assignedAt !== null) return 0;
  return startupTime ?? undefined;
}
