import { lstat, readdir, rm } from 'node:fs/promises';
import path from 'node:path';

export interface RetentionRequest {
  readonly folder: string;
  /** Ending of the files that may be deleted, `.log` say; everything else is left alone. */
  readonly suffix: string;
  /** Age since the last write, in milliseconds; 0 deletes all that are not in use. */
  readonly maxAgeMs: number;
  /** Paths of files that belong to a live launch. */
  readonly inUse: ReadonlySet<string>;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

export interface RetentionResult {
  readonly deleted: readonly string[];
  readonly freedBytes: number;
  readonly failed: readonly { file: string; reason: string }[];
}

const STAT_BLOCK_BYTES = 512;

/** Deletes old agent files that are not in use. One that cannot be deleted is reported, and does not stop the rest. */
export async function deleteOldFiles(request: RetentionRequest): Promise<RetentionResult> {
  const inUse = new Set([...request.inUse].map((it) => path.resolve(it)));
  const deleted: string[] = [];
  const failed: { file: string; reason: string }[] = [];
  let freedBytes = 0;
  for (const file of await listFiles(request.folder, request.suffix)) {
    if (inUse.has(file)) continue;
    try {
      const bytes = await deleteIfOld(file, request);
      if (bytes === undefined) continue;
      deleted.push(file);
      freedBytes += bytes;
    } catch (error) {
      failed.push({ file, reason: String(error) });
    }
  }
  return { deleted, freedBytes, failed };
}

async function listFiles(folder: string, suffix: string): Promise<string[]> {
  try {
    const names = await readdir(folder);
    return names.filter((it) => it.endsWith(suffix)).map((it) => path.resolve(folder, it));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** The bytes freed, or undefined for what is to stay: links and folders are not ours to delete. */
async function deleteIfOld(file: string, { maxAgeMs, nowMs }: RetentionRequest): Promise<number | undefined> {
  const facts = await lstat(file);
  if (!facts.isFile() || nowMs - facts.mtimeMs < maxAgeMs) return undefined;
  await rm(file, { force: true });
  return facts.blocks * STAT_BLOCK_BYTES;
}

export interface MakeRoomRequest extends Pick<RetentionRequest, 'folder' | 'suffix'> {
  /** Asked right before each deletion. */
  readonly isInUse: (file: string) => boolean;
  /** Asked before each deletion whether to stop. */
  readonly isEnough: () => Promise<boolean>;
}

/** Deletes agent files, those that were written to longest ago first, until it is enough. */
export async function deleteOldestFiles(request: MakeRoomRequest): Promise<readonly string[]> {
  const deleted: string[] = [];
  for (const file of await listOldestFirst(request.folder, request.suffix)) {
    if (await request.isEnough()) break;
    if (request.isInUse(file)) continue;
    await rm(file, { force: true });
    deleted.push(file);
  }
  return deleted;
}

/** Links and folders are not ours to delete. */
async function listOldestFirst(folder: string, suffix: string): Promise<string[]> {
  const files = await listFiles(folder, suffix);
  const facts = await Promise.all(
    files.map(async (file) => ({ file, facts: await lstat(file).catch(() => undefined) })),
  );
  return facts
    .flatMap((it) => (it.facts?.isFile() ? [{ file: it.file, mtimeMs: it.facts.mtimeMs }] : []))
    .sort((one, other) => one.mtimeMs - other.mtimeMs)
    .map((it) => it.file);
}
