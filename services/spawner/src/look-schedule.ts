const LOOK_EVERY_MS = 2000;
/** A look may take one fiftieth of the time, however many processes the machine has; an early one a fifth. */
const REST_FACTOR = 50;
const EARLY_REST_FACTOR = 5;
/** As many new processes on the machine, of whomever, are a reason to look at once. */
const SUDDEN_TASKS = 100;

/** What a look at all processes was like. */
export interface Look {
  /** When it was over, on the clock of performance.now(). */
  readonly atMs: number;
  /** What it took of a processor: where a fork bomb is at work, it waits for many times as long. */
  readonly costMs: number;
  /** Processes and threads of the machine when it began. */
  readonly tasks: number;
}

/** When the limits are looked after: regularly, and early where processes suddenly become many. */
export class LookSchedule {
  #atMs = 0;
  #costMs = 0;
  #fewestTasks = 0;

  looked({ atMs, costMs, tasks }: Look): void {
    this.#atMs = atMs;
    this.#costMs = costMs;
    this.#fewestTasks = tasks;
  }

  /**
   * Asked often, as it notices from which low the number of processes rises: while the remains of one bomb go, another may
   * begin.
   */
  isDue(nowMs: number, tasks: number): boolean {
    this.#fewestTasks = Math.min(this.#fewestTasks, tasks);
    const restedMs = nowMs - this.#atMs;
    if (restedMs >= Math.max(LOOK_EVERY_MS, REST_FACTOR * this.#costMs)) return true;
    return restedMs >= EARLY_REST_FACTOR * this.#costMs && tasks - this.#fewestTasks >= SUDDEN_TASKS;
  }
}
