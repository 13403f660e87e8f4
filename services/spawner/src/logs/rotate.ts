import { constants } from 'node:fs';
import { type FileHandle, open, stat, truncate } from 'node:fs/promises';
import { punchHole } from '../process/punch-hole.js';
import type { LogTail } from './log-tail.js';

/** What of a tail a trim needs to know. */
export type TrimmedTail = Pick<LogTail, 'offset' | 'rewind'>;

/**
 * - `fits`: nothing to do. `trimmed`: the oldest part was given back to the disk, all offsets stay.
 * - `truncated`: the file was emptied because its file system can do no better; `lostBytes` had not been read.
 * - `behind`: too large, but not read far enough yet.
 */
export type TrimOutcome =
  | { kind: 'fits' }
  | { kind: 'trimmed' }
  | { kind: 'truncated'; lostBytes: number }
  | { kind: 'behind' }
  | { kind: 'failed'; reason: string };

export interface TrimRequest {
  readonly file: string;
  readonly tail: TrimmedTail;
  /** Disk space that the file may take, in bytes. */
  readonly capBytes?: number;
  /** What stays of the part that was read, in bytes. */
  readonly keepBytes?: number;
}

const CAP_BYTES = 10 * 1024 * 1024;
const KEEP_BYTES = 2 * 1024 * 1024;
const STAT_BLOCK_BYTES = 512;
/** A multiple of every block size in use, so that whole blocks are freed. */
const ALIGNMENT = 64 * 1024;

/**
 * Keeps an agent's log from filling the disk (a full one kills agents that print). The part that was read is punched
 * out: unlike truncating it loses no line that is written meanwhile, and readers and writers keep their offsets.
 */
export async function trimLog(request: TrimRequest): Promise<TrimOutcome> {
  const { file, tail, capBytes = CAP_BYTES, keepBytes = KEEP_BYTES } = request;
  const { blocks, size } = await stat(file);
  const takenBytes = blocks * STAT_BLOCK_BYTES;
  if (takenBytes <= capBytes) return { kind: 'fits' };
  const end = Math.floor((tail.offset - keepBytes) / ALIGNMENT) * ALIGNMENT;
  // What is taken beyond the unread part and the kept one is all that a punch can free.
  if (end <= 0 || takenBytes <= size - end) return { kind: 'behind' };
  const outcome = await punchHole(file, end);
  switch (outcome.kind) {
    case 'punched':
      return { kind: 'trimmed' };
    case 'failed':
      return outcome;
    case 'unsupported':
      return truncateLog(request, takenBytes > 2 * capBytes);
    default:
      return outcome satisfies never;
  }
}

/** Lines written between the look and the cut are lost, so it waits for the tail to catch up as long as it can. */
async function truncateLog({ file, tail }: TrimRequest, isUrgent: boolean): Promise<TrimOutcome> {
  const { size } = await stat(file);
  const lostBytes = Math.max(0, size - tail.offset);
  if (lostBytes > 0 && !isUrgent) return { kind: 'behind' };
  await truncate(file, 0);
  tail.rewind();
  return { kind: 'truncated', lostBytes };
}

/** `overwritten`: erased, but still taking space. */
export type EraseOutcome = 'erased' | 'overwritten';

/**
 * Erases what was read of an events file, since it holds what people said. Where nothing can be punched out it is
 * overwritten with zeros, which the program that appends to it does not notice.
 *
 * @throws Error when the file cannot be written to
 */
export async function eraseConsumed(file: string, consumedBytes: number): Promise<EraseOutcome> {
  if (consumedBytes <= 0) return 'erased';
  const outcome = await punchHole(file, consumedBytes);
  if (outcome.kind === 'punched') return 'erased';
  await overwrite(file, consumedBytes);
  return 'overwritten';
}

async function overwrite(file: string, bytes: number): Promise<void> {
  const handle = await open(file, constants.O_WRONLY);
  try {
    const end = Math.min(bytes, (await handle.stat()).size);
    await writeZeros(handle, end);
  } finally {
    await handle.close();
  }
}

async function writeZeros(handle: FileHandle, end: number): Promise<void> {
  const zeros = Buffer.alloc(Math.min(end, ALIGNMENT));
  for (let at = 0; at < end; at += zeros.length) {
    await handle.write(zeros, 0, Math.min(zeros.length, end - at), at);
  }
}
