import type { SessionFilter } from '@greenroom/contracts';
import { isInTrouble, type LiveSession, sinceOf } from '../live/live-state.js';

/** Which sessions are shown: what stands in the address. '' is any. */
export interface Filters {
  readonly state: string;
  readonly profile: string;
  readonly host: string;
  /** One of `AGES`. */
  readonly older: string;
  /** Part of an id, a user's id or name. */
  readonly q: string;
  readonly errors: boolean;
}

const MINUTE_MS = 60_000;
export const AGES: Readonly<Record<string, { readonly label: string; readonly ms: number }>> = {
  '5m': { label: 'over 5 minutes', ms: 5 * MINUTE_MS },
  '30m': { label: 'over 30 minutes', ms: 30 * MINUTE_MS },
  '1h': { label: 'over 1 hour', ms: 60 * MINUTE_MS },
  '4h': { label: 'over 4 hours', ms: 240 * MINUTE_MS },
};

export function readFilters(query: string): Filters {
  const words = new URLSearchParams(query);
  const word = (name: string): string => words.get(name) ?? '';
  const older = word('older');
  return {
    state: word('state'),
    profile: word('profile'),
    host: word('host'),
    older: older in AGES ? older : '',
    q: word('q'),
    errors: word('errors') === '1',
  };
}

export function isAny({ errors, ...words }: Filters): boolean {
  return !errors && Object.values(words).every((word) => word === '');
}

/** Answers whether a session is shown. `now` in milliseconds by the server's clock. */
export function matcherOf(filters: Filters, now: number): (session: LiveSession) => boolean {
  const { state, profile, host, errors } = filters;
  const olderThan = now - (AGES[filters.older]?.ms ?? 0);
  const search = filters.q.trim().toLowerCase();
  return (session) =>
    (state === '' || session.status === state) &&
    (profile === '' || session.profile === profile) &&
    (host === '' || session.host === host) &&
    (filters.older === '' || Date.parse(sinceOf(session)) <= olderThan) &&
    (!errors || isInTrouble(session)) &&
    (search === '' || isFound(session, search));
}

function isFound({ sessionId, userId, userName }: LiveSession, search: string): boolean {
  return [sessionId, userId, userName].some((text) => text?.toLowerCase().includes(search));
}

/** The same for the api. It knows no `errors`: then nobody could say beforehand whom it means. */
export function apiFilterOf(filters: Filters): SessionFilter | undefined {
  if (filters.errors) return undefined;
  const { state, profile, host, older } = filters;
  const search = filters.q.trim();
  return {
    ...(state !== '' && { status: state as SessionFilter['status'] & string }),
    ...(profile !== '' && { profile }),
    ...(host !== '' && { host }),
    ...(older !== '' && { olderThanMs: AGES[older]?.ms ?? 0 }),
    ...(search !== '' && { search }),
  };
}
