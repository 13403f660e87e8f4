import { useSyncExternalStore } from 'react';

const BASE = '/console';

/** Where in the console somebody is. Filters stand in the query, and nothing secret anywhere in the address. */
export type Page =
  | { readonly name: 'now' }
  | { readonly name: 'hosts' }
  | { readonly name: 'charts' }
  | { readonly name: 'session'; readonly sessionId: string }
  | { readonly name: 'unknown' };

export const PATHS = {
  now: BASE,
  hosts: `${BASE}/hosts`,
  charts: `${BASE}/charts`,
  session: (sessionId: string) => `${BASE}/session/${encodeURIComponent(sessionId)}`,
} as const;

export function pageAt(path: string): Page {
  const [name, id, ...rest] = path.slice(BASE.length).split('/').filter(Boolean);
  if (name === undefined) return { name: 'now' };
  if (rest.length > 0) return { name: 'unknown' };
  if (name === 'session' && id !== undefined) return { name: 'session', sessionId: decode(id) };
  if ((name === 'hosts' || name === 'charts') && id === undefined) return { name };
  return { name: 'unknown' };
}

/** Goes to another page, or to the same with another query. `replace` leaves no step behind to come back to. */
export function navigate(to: string, { replace = false }: { replace?: boolean } = {}): void {
  if (to === `${location.pathname}${location.search}`) return;
  history[replace ? 'replaceState' : 'pushState'](null, '', to);
  for (const listener of listeners) listener();
}

/** Sets one word of the query and keeps the others; '' takes it out. */
export function setQuery(words: Readonly<Record<string, string>>): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(words)) {
    if (value === '') query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  navigate(location.pathname + (text && `?${text}`), { replace: true });
}

export function usePath(): string {
  return useSyncExternalStore(subscribe, () => location.pathname);
}

/** The query as it stands in the address, with its `?`. */
export function useQuery(): string {
  return useSyncExternalStore(subscribe, () => location.search);
}

const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener('popstate', listener);
  return () => {
    listeners.delete(listener);
    removeEventListener('popstate', listener);
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
