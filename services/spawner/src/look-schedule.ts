const LOOK_EVERY_MS = 2000;
/** A look may take one fiftieth of the time, however many processes the machine has. */
const REST_FACTOR = 50;
/** Where there is a reason to look, it may take a fifth: processes have suddenly become many, or an agent was over its limits. */
const EARLY_REST_FACTOR = 5;
/** So long the agent that follows one that was over its limits is looked after as closely. */
const ALERT_MS = 60_000;
/** As many new processes on the machine, of whomever, are a reason to look at once. */
const SUDDEN_TASKS = 100;

/** When the limits are looked after: regularly, and early where processes suddenly become many. */
export class LookSchedule {
  #endedAtMs = 0;
  #alertUntilMs = 0;
  #costMs = 0;
  #tasksThen = 1;
  #fewestTasks = 0;

  /**
   * From which low the number of processes rises: while the remains of one bomb go, another may begin.
   * @param tasks of the whole machine, told often, during a look too; 0 is not known
   */
  note(tasks: number): void {
    if (tasks > 0) this.#fewestTasks = Math.min(this.#fewestTasks, tasks);
  }

  /** A look begins. What comes from now on it may miss. */
  begin(tasks: number): void {
    this.#tasksThen = Math.max(1, tasks);
    this.#fewestTasks = tasks > 0 ? tasks : Number.POSITIVE_INFINITY;
  }

  /**
   * @param atMs on the clock of performance.now()
   * @param costMs what it took of a processor: where a fork bomb is at work, it waits for many times as long
   * @param isOver whether an agent was found over its limits
   */
  end(atMs: number, { costMs, isOver }: { costMs: number; isOver: boolean }): void {
    this.#endedAtMs = atMs;
    this.#costMs = costMs;
    if (isOver) this.#alertUntilMs = atMs + ALERT_MS;
  }

  isDue(nowMs: number, tasks: number): boolean {
    const restedMs = nowMs - this.#endedAtMs;
    // The next one costs less where most of the processes are gone.
    const costMs = this.#costMs * Math.min(1, tasks / this.#tasksThen);
    const factor = nowMs < this.#alertUntilMs ? EARLY_REST_FACTOR : REST_FACTOR;
    if (restedMs >= Math.max(LOOK_EVERY_MS, factor * costMs)) return true;
    return restedMs >= EARLY_REST_FACTOR * costMs && tasks - this.#fewestTasks >= SUDDEN_TASKS;
  }
}
