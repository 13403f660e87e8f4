/** Answers that have no end of their own. A server that closes would wait for them for ever. */
export class OpenStreams {
  readonly #ends = new Set<() => void>();

  /** @returns what the stream calls when it is over */
  add(end: () => void): () => void {
    this.#ends.add(end);
    return () => {
      this.#ends.delete(end);
    };
  }

  endAll(): void {
    for (const end of this.#ends) end();
    this.#ends.clear();
  }

  get size(): number {
    return this.#ends.size;
  }
}
