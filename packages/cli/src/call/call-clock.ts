/** Milliseconds since the session was asked for: the one clock of a call and its report. */
export class CallClock {
  readonly #startedAt = performance.now();

  now(): number {
    return Math.round(performance.now() - this.#startedAt);
  }
}
