/** Remembers when LiveKit did not answer, or the connection to it was lost. All times are on the clock of performance.now(). */
export class Outages {
  #beganAtMs = Number.NEGATIVE_INFINITY;
  #seenAtMs = Number.NEGATIVE_INFINITY;

  /** @param beganAtMs when the question was asked that failed by now */
  note(beganAtMs = performance.now()): void {
    this.#beganAtMs = Math.max(this.#beganAtMs, beganAtMs);
    this.#seenAtMs = performance.now();
  }

  /** When LiveKit was last found to be away; minus infinity when it never was. */
  get seenAtMs(): number {
    return this.#seenAtMs;
  }

  /** Whether LiveKit may have been away at any time since then. */
  hasBeenSince(ms: number): boolean {
    return this.#seenAtMs >= ms;
  }

  /** Whether the last outage lies wholly after this time. */
  hasBegunSince(ms: number): boolean {
    return this.#beganAtMs >= ms;
  }
}
