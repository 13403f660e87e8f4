/** One piece of sound that a call hears. */
export interface Sound {
  readonly durationMs: number;
  readonly began: () => void;
  /** @param status as in Telnyx's events */
  readonly ended: (status: 'completed' | 'cancelled' | 'call_hangup') => void;
}

/** What is played into a call by command: one after the other. */
export class Audio {
  readonly #waiting: Sound[] = [];
  #current: { sound: Sound; timer: NodeJS.Timeout } | undefined;

  play(sound: Sound): void {
    this.#waiting.push(sound);
    if (!this.#current) this.#playNext();
  }

  /** What is heard now ends, and with `all` nothing waits behind it. */
  stop(which: 'current' | 'all', status: 'cancelled' | 'call_hangup' = 'cancelled'): void {
    if (which === 'all') this.#waiting.length = 0;
    const current = this.#current;
    if (!current) return;
    clearTimeout(current.timer);
    this.#finish(current.sound, status);
  }

  #playNext(): void {
    const sound = this.#waiting.shift();
    if (!sound) return;
    const timer = setTimeout(() => this.#finish(sound, 'completed'), sound.durationMs);
    this.#current = { sound, timer };
    sound.began();
  }

  #finish(sound: Sound, status: 'completed' | 'cancelled' | 'call_hangup'): void {
    this.#current = undefined;
    sound.ended(status);
    this.#playNext();
  }
}
