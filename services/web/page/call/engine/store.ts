import type { CallState } from '../state/call-state.js';
import { type CallAction, reduce } from '../state/reduce.js';

/** The one state of the page. React reads it with `useSyncExternalStore`. */
export class Store {
  #state: CallState;
  readonly #listeners = new Set<() => void>();

  constructor(first: CallState) {
    this.#state = first;
  }

  readonly get = (): CallState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Resolves when it is so. */
  until(isSo: (state: CallState) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!isSo(this.#state)) return;
        unsubscribe();
        resolve();
      };
      const unsubscribe = this.subscribe(look);
      look();
    });
  }

  dispatch(action: CallAction): void {
    const next = reduce(this.#state, action);
    if (next === this.#state) return;
    this.#state = next;
    for (const listener of this.#listeners) listener();
  }
}
