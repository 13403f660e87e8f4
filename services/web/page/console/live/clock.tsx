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
export function useSecondsSince(time: string | number): number {
  const following = useFollowing();
  return useSyncExternalStore(subscribe, () => secondsSince(time, following));
}

/** The same by this browser's clock, whatever the stream does. */
export function useOwnSecondsSince(time: number): number {
  return useSyncExternalStore(subscribe, () => Math.max(0, Math.floor((Date.now() - time) / 1_000)));
}

export function secondsSince(time: string | number, { connection, clock }: Following): number {
  const then = typeof time === 'number' ? time : Date.parse(time);
  const state = connection.read();
  const now = (state.kind === 'lost' ? state.asOf : Date.now()) + clock.read();
  return Math.max(0, Math.floor((now - then) / 1_000));
}
