import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from 'react';
import { type Connection, useWatched, Watched } from './connection.js';
import { type Following, follow } from './follow.js';
import type { LiveSession, LiveState } from './live-state.js';
import { LiveStore } from './live-store.js';

const LiveContext = createContext<Following | undefined>(undefined);

/** Follows the stream of all for as long as it is shown. */
export function Live({ children }: { children: ReactNode }) {
  const [following] = useState<Following>(() => ({
    store: new LiveStore(),
    connection: new Watched<Connection>({ kind: 'connecting' }),
    clock: new Watched(0),
  }));
  useEffect(() => follow(following), [following]);
  return <LiveContext value={following}>{children}</LiveContext>;
}

/** A part of what is live. The selector must answer with the same object as long as nothing in it has changed. */
export function useLive<T>(select: (state: LiveState) => T): T {
  const { store } = useFollowing();
  return useSyncExternalStore(store.subscribe, () => select(store.read()));
}

/** undefined: not there, or not listed, since there are too many. */
export function useLiveSession(sessionId: string): LiveSession | undefined {
  return useLive(({ sessions }) => sessions.get(sessionId));
}

export function useConnection(): Connection {
  return useWatched(useFollowing().connection);
}

export function useFollowing(): Following {
  const following = useContext(LiveContext);
  if (!following) throw new Error('shown outside of <Live>');
  return following;
}
