/** Remembers that LiveKit did not answer, or that the connection to it was lost. */
export class Outages {
  #count = 0;
  #lastAtMs = Number.NEGATIVE_INFINITY;

  note(): void {
    this.#count += 1;
    this.#lastAtMs = performance.now();
  }

  /** Grows with every sign of an outage: two equal numbers have no outage between them. */
  get count(): number {
    return this.#count;
  }

  /** @param sinceMs on the clock of performance.now() */
  hasBeenSince(sinceMs: number): boolean {
    return this.#lastAtMs >= sinceMs;
  }
}
