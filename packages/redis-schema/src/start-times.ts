/** As `includes/stats.lua` names them and has made them. */
export const START_TIME_FIELD = /^startMs:(\d+)$/;
const CLASSES_AN_OCTAVE = 8;

/** How long starts took, by classes that grow by 9 %: any number of them in bounded memory, exact to 5 %. */
export class StartTimes {
  readonly #counts = new Map<number, number>();

  /** @param timeClass 0 is less than a millisecond */
  add(timeClass: number, count: number): void {
    this.#counts.set(timeClass, (this.#counts.get(timeClass) ?? 0) + count);
  }

  addAll(other: StartTimes): void {
    for (const [timeClass, count] of other.#counts) this.add(timeClass, count);
  }

  /** Milliseconds that so large a share of the starts did not exceed; undefined without any start. */
  percentile(share: number): number | undefined {
    const ordered = [...this.#counts].sort(([a], [b]) => a - b);
    const total = ordered.reduce((sum, [, count]) => sum + count, 0);
    let seen = 0;
    for (const [timeClass, count] of ordered) {
      seen += count;
      if (seen >= share * total) return middleOf(timeClass);
    }
    return undefined;
  }
}

function middleOf(timeClass: number): number {
  return timeClass === 0 ? 0 : Math.round(2 ** ((timeClass - 0.5) / CLASSES_AN_OCTAVE));
}
