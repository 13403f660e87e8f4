import { useSyncExternalStore } from 'react';
import { useFollowing } from './live.jsx';
import type { Following } from './follow.js';

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** One interval for all that shows a time which passes, and only while something does. */
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    for (const tick of listeners) tick();
  }, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/**
 * Whole seconds since then, by the server's clock. While the stream is lost they stand still: what is not known to go on is
 * not shown as going on.
 */
export function useSecondsSince(time: string): number {
  const following = useFollowing();
  return useSyncExternalStore(subscribe, () => secondsSince(time, following));
}

/** The same by this browser's clock, whatever the stream does. */
export function useOwnSecondsSince(time: number): number {
  return useSyncExternalStore(subscribe, () => Math.max(0, Math.floor((Date.now() - time) / 1_000)));
}

/** Whole seconds until then, by the server's clock; 0 when it is past. */
export function useSecondsUntil(time: string): number {
  const following = useFollowing();
  const left = (): number => Math.max(0, Math.ceil((Date.parse(time) - serverNow(following)) / 1_000));
  return useSyncExternalStore(subscribe, left);
}

/** Changes once a second while it is wanted. */
export function useTick(isWanted: boolean): number {
  return useSyncExternalStore(isWanted ? subscribe : never, () =>
    isWanted ? Math.floor(Date.now() / 1_000) : 0,
  );
}

/** The server's time in milliseconds, as of when it was heard last. */
export function serverNow({ connection, clock }: Following): number {
  const state = connection.read();
  const asOf = state.kind === 'lost' || state.kind === 'over' ? state.asOf : undefined;
  return (asOf ?? Date.now()) + clock.read();
}

function secondsSince(time: string, following: Following): number {
  return Math.max(0, Math.floor((serverNow(following) - Date.parse(time)) / 1_000));
}

function never(): () => void {
  return () => undefined;
}
