import { pause } from '../engine/until-answered.js';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;

/** A part of the page that comes later. While it is shown somewhere it is asked for until it is there: a network may be away. */
export class LatePart<Part> {
  readonly #load: () => Promise<Part>;
  readonly #waiting = new Set<() => void>();
  #part: Part | undefined;
  #unwanted: AbortController | undefined;

  constructor(load: () => Promise<Part>) {
    this.#load = load;
  }

  readonly get = (): Part | undefined => this.#part;

  /** Until it is there, or nobody waits for it any more. */
  readonly subscribe = (tell: () => void): (() => void) => {
    this.#waiting.add(tell);
    if (!this.#part && !this.#unwanted)
      void this.#loadUntilThere((this.#unwanted = new AbortController()).signal);
    return () => {
      this.#waiting.delete(tell);
      if (this.#waiting.size > 0) return;
      this.#unwanted?.abort();
      this.#unwanted = undefined;
    };
  };

  /** Once, before it is needed. @throws when it could not be loaded */
  async prefetch(): Promise<void> {
    this.#part ??= await this.#load();
    for (const tell of this.#waiting) tell();
  }

  async #loadUntilThere(unwanted: AbortSignal): Promise<void> {
    for (let attempt = 0; !unwanted.aborted; attempt += 1) {
      try {
        return await this.prefetch();
      } catch {
        await pause(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt), unwanted);
      }
    }
  }
}
