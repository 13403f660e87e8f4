/** Silence of LiveKit that nobody in a room has failed to notice. One answer that is late, or lost, is none. */
const LASTING_MS = 3000;

/** Remembers when LiveKit did not answer, or the connection to it was lost. All times are on the clock of performance.now(). */
export class Outages {
  readonly #now: () => number;
  #beganAtMs = Number.NEGATIVE_INFINITY;
  #seenAtMs = Number.NEGATIVE_INFINITY;
  /** When the first question was asked of those that failed since the last answer. */
  #silentSinceMs: number | undefined;
  #answeredAtMs = Number.NEGATIVE_INFINITY;
  #absentUntilMs = Number.NEGATIVE_INFINITY;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** A sign of an outage. @param beganAtMs when the question was asked that failed by now */
  note(beganAtMs = this.#now()): void {
    this.#beganAtMs = Math.max(this.#beganAtMs, beganAtMs);
    this.#seenAtMs = this.#now();
  }

  /** A question was not answered. One that was asked before the last answer says nothing of the time since. */
  failed(askedAtMs: number): void {
    if (askedAtMs >= this.#answeredAtMs)
      this.#silentSinceMs = Math.min(this.#silentSinceMs ?? askedAtMs, askedAtMs);
    this.note(askedAtMs);
  }

  answered(): void {
    this.#absentUntilMs = this.absentUntilMs;
    this.#silentSinceMs = undefined;
    this.#answeredAtMs = this.#now();
  }

  /** LiveKit was certainly away until now: whoever was in a room has to come back. */
  noteAbsence(): void {
    this.#absentUntilMs = this.#now();
  }

  /**
   * Until when LiveKit was away for so long that people fell out of their rooms, or could not come back; minus infinity when
   * it never was. A failed question now and then counts for nothing here, or no absence would ever prove anything.
   */
  get absentUntilMs(): number {
    const isSilent = this.#silentSinceMs !== undefined && this.#now() - this.#silentSinceMs >= LASTING_MS;
    return isSilent ? this.#now() : this.#absentUntilMs;
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
