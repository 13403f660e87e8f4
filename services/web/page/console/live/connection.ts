import { useSyncExternalStore } from 'react';

/** How sure we are of what the page shows. Times are of this browser's clock. */
export type Connection =
  | { readonly kind: 'connecting'; readonly why?: string }
  | { readonly kind: 'live' }
  /** What is shown was true at `asOf`, and nobody can say what became of it. */
  | { readonly kind: 'lost'; readonly asOf: number; readonly why: string }
  /** The api has refused the stream: asking again by itself would not help. `asOf` undefined: nothing was ever shown. */
  | { readonly kind: 'over'; readonly asOf: number | undefined; readonly why: string };

/** One value that many look at. */
export class Watched<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  readonly read = (): T => this.#value;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  set(value: T): void {
    this.#value = value;
    for (const listener of this.#listeners) listener();
  }
}

export function useWatched<T>(watched: Watched<T>): T {
  return useSyncExternalStore(watched.subscribe, watched.read);
}
