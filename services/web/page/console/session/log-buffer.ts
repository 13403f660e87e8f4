import { guessLevel, type Level } from './log-lines.js';

export interface LogLine {
  readonly number: number;
  readonly text: string;
  readonly level: Level;
  /** When it was printed, in milliseconds since 1970; undefined where nobody knows. */
  readonly at: number | undefined;
}

export function toLogLine(number: number, text: string, time: unknown): LogLine {
  const at = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  return { number, text, level: guessLevel(text), at: Number.isNaN(at) ? undefined : at };
}

/** The log as far as it came: what is shown, and what waits while it is paused. */
export interface LogBuffer {
  readonly lines: readonly LogLine[];
  readonly held: readonly LogLine[];
  /** The connection is new, and begins with the last lines again: what comes takes the place of what is shown. */
  readonly isAnew: boolean;
}

/** More are in the file that can be downloaded. */
const MOST = 2_000;

export const NO_LINES: LogBuffer = { lines: [], held: [], isAnew: false };

/** What is shown stays until the first lines have come: the connection may be new because the api was. */
export function connectAnew(buffer: LogBuffer): LogBuffer {
  return { ...buffer, held: [], isAnew: true };
}

export function takeLines(buffer: LogBuffer, came: readonly LogLine[], isPaused: boolean): LogBuffer {
  const { lines, held, isAnew } = buffer;
  if (isPaused) return { ...buffer, held: [...held, ...came].slice(-MOST) };
  return { lines: (isAnew ? came : [...lines, ...came]).slice(-MOST), held: [], isAnew: false };
}

/** It is no longer paused. */
export function goOn(buffer: LogBuffer): LogBuffer {
  return buffer.held.length === 0 ? buffer : takeLines(buffer, buffer.held, false);
}

/** How many lines wait; undefined where nobody can tell which of them are new. */
export function countWaiting({ held, isAnew }: LogBuffer): number | undefined {
  return isAnew ? undefined : held.length;
}
