import { appendFile, readFile, rm } from 'node:fs/promises';

/** So that an agent that prints all the time does not fill the disk with times. */
const RESOLUTION_MS = 250;

/** Where the times of a log stand: beside it, since the log itself is what the agent printed. */
export function timesFileOf(logFile: string): string {
  return `${logFile.replace(/\.log$/, '')}.times`;
}

/**
 * Keeps when the lines of a log were printed: each entry is a byte of the log and a time, and what ends at that byte or before it,
 * behind the entry before, was printed no later than then. Lines that nobody has noted belong to the next entry, or to none;
 * what is read again is noted again, and the first entry that reaches a line is the one that counts.
 */
export class LineTimes {
  readonly #file: string;
  readonly #onError: (error: unknown) => void;
  #written: Promise<void> = Promise.resolve();
  #pending: { end: number; at: number } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(logFile: string, onError: (error: unknown) => void) {
    this.#file = timesFileOf(logFile);
    this.#onError = onError;
  }

  /** @param end the byte behind the last of these lines */
  note(end: number, at: number): void {
    this.#pending = { end, at };
    if (this.#timer !== undefined) return;
    this.#flush();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#flush();
    }, RESOLUTION_MS);
    this.#timer.unref();
  }

  /** The log was emptied: its bytes are counted anew. */
  clear(): void {
    this.#pending = undefined;
    this.#do(() => rm(this.#file, { force: true }));
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#flush();
    await this.#written;
  }

  #flush(): void {
    const entry = this.#pending;
    this.#pending = undefined;
    if (entry === undefined) return;
    this.#do(() => appendFile(this.#file, `${entry.end} ${entry.at}\n`, { mode: 0o600 }));
  }

  #do(work: () => Promise<void>): void {
    this.#written = this.#written.then(work).catch(this.#onError);
  }
}

/**
 * When lines were printed, in milliseconds since 1970; null where nobody has noted it.
 * @param starts bytes at which the lines begin, in order
 */
export async function readLineTimes(logFile: string, starts: readonly number[]): Promise<(number | null)[]> {
  const entries = await readEntries(timesFileOf(logFile));
  let next = 0;
  return starts.map((start) => {
    while ((entries[next]?.end ?? Number.POSITIVE_INFINITY) <= start) next += 1;
    return entries[next]?.at ?? null;
  });
}

/** One that a crash or a full disk has cut short is left out. */
async function readEntries(file: string): Promise<{ end: number; at: number }[]> {
  const text = await readFile(file, 'utf8').catch(ignoreMissing);
  return [...text.matchAll(/^(\d{1,15}) (\d{1,15})\n/gm)].map(([, end, at]) => ({
    end: Number(end),
    at: Number(at),
  }));
}

function ignoreMissing(error: NodeJS.ErrnoException): string {
  if (error.code !== 'ENOENT') throw error;
  return '';
}
