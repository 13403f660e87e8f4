import { type FileHandle, open } from 'node:fs/promises';
import { MAX_LINE_BYTES } from './log-tail.js';
import { serveLine } from './served-line.js';

export interface KeptLogRequest {
  readonly file: string;
  /** Where to stop, in bytes: the {@link KeptLogPart.start} of the part behind this one. Default: the end of the file. */
  readonly before?: number | undefined;
  readonly maxLines: number;
}

export interface KeptLogPart {
  /** Lines that may be shown, oldest first. Perhaps fewer than asked for, though there are more. */
  readonly lines: string[];
  /** The byte at which each of them begins. */
  readonly starts: number[];
  /** Where the part before this one ends; undefined when there is none. */
  readonly start?: number;
}

/** What one look may read, and so about the most that an answer may weigh. */
const WINDOW_BYTES = 256 * 1024;
const LINE_FEED = 0x0a;

/**
 * The last lines of an agent's log before a certain byte, as they may be shown: what people said is withheld here too. Read
 * from the end, so that it costs the same however long the log is.
 * @returns undefined when the file is gone
 */
export async function readKeptLog({
  file,
  before,
  maxLines,
}: KeptLogRequest): Promise<KeptLogPart | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size } = await handle.stat();
    const end = Math.min(before ?? size, size);
    const from = Math.max(0, end - WINDOW_BYTES);
    return lastLines(await readAt(handle, from, end - from), from, maxLines);
  } finally {
    await handle.close();
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

function lastLines(window: Buffer, from: number, maxLines: number): KeptLogPart {
  // What was read long ago was given back to the disk, from the beginning on, and reads as zeros.
  const isErased = window[0] === 0;
  const isBeginning = from === 0 || isErased;
  const first = isErased ? window.findIndex((byte) => byte !== 0) : beginOfWhole(window, from);
  // One line fills the window, or there is nothing but zeros.
  if (first === -1) return isBeginning ? { lines: [], starts: [] } : { lines: [], starts: [], start: from };
  const lines: string[] = [];
  const starts: number[] = [];
  let end = window.at(-1) === LINE_FEED ? window.length - 1 : window.length;
  while (end >= first && lines.length < maxLines) {
    const start = end === 0 ? 0 : Math.max(first, window.lastIndexOf(LINE_FEED, end - 1) + 1);
    const served = serveLine(window.toString('utf8', start, Math.min(end, start + MAX_LINE_BYTES)));
    if (served.kind === 'shown') {
      lines.unshift(served.text);
      starts.unshift(from + start);
    }
    end = start - 1;
  }
  if (end >= first) return { lines, starts, start: from + end + 1 };
  return isBeginning ? { lines, starts } : { lines, starts, start: from + first };
}

/** Of the line that the window begins in nobody can tell what it is. -1 where it is the only one. */
function beginOfWhole(window: Buffer, from: number): number {
  if (from === 0) return 0;
  const begin = window.indexOf(LINE_FEED) + 1;
  return begin === 0 || begin === window.length ? -1 : begin;
}
