import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { isSessionId } from '@greenroom/contracts';
import type { ProcessIdentity, ProcessRef } from './identity.js';

/** Raised when a field changes its meaning; new optional fields need no new number. */
export const LAUNCH_RECORD_SCHEMA = 1;

/**
 * - `recorded`: on disk only; the process waits at the gate.
 * - `committed`: Redis has it too. `released`: the agent's own code may have run.
 */
export type LaunchPhase = 'recorded' | 'committed' | 'released';

/** What a spawner must know of a launch to adopt or stop it after its own restart, even without Redis. */
export interface LaunchRecord {
  readonly schema: typeof LAUNCH_RECORD_SCHEMA;
  readonly sessionId: string;
  readonly generation: number;
  readonly launchId: string;
  readonly hostId: string;
  readonly profile: string;
  readonly identity: ProcessIdentity;
  readonly roomName: string;
  readonly roomSid: string;
  readonly logFile: string;
  readonly eventsFile: string;
  /** Absolute, milliseconds since 1970; undefined while no caller has been assigned. */
  readonly deadlineAt?: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly phase: LaunchPhase;
  /** Bytes of the log and of the events file that were consumed, as far as known. */
  readonly logOffset?: number;
  readonly eventsOffset?: number;
  readonly remembered?: readonly ProcessRef[];
  /** Cgroup of the launch, where it has one. */
  readonly cgroup?: string;
  /** The session's hash as of the last step that this host heard of: what it publishes after a loss of Redis data. */
  readonly session?: Readonly<Record<string, string>>;
}

/** `unsupported`: written by a version that we do not know; it must be refused, not guessed at. */
export interface UnreadableRecord {
  readonly file: string;
  /** As the file's name says it. */
  readonly sessionId: string;
  readonly problem: 'corrupt' | 'unsupported';
  readonly detail: string;
}

export interface RecordList {
  readonly records: readonly LaunchRecord[];
  readonly unreadable: readonly UnreadableRecord[];
}

const SUFFIX = '.json';
const DRAFT_SUFFIX = '.tmp';

/**
 * Writes a record so that after any crash either the old or the new one is there, whole.
 *
 * @throws Error when the session id is none, or the disk refuses
 */
export async function writeLaunchRecord(stateDir: string, record: LaunchRecord): Promise<void> {
  const file = recordFile(stateDir, record.sessionId);
  const folder = path.dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = `${file}.${randomBytes(6).toString('hex')}${DRAFT_SUFFIX}`;
  try {
    await writeDurably(temporary, `${JSON.stringify(record)}\n`);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/**
 * What a spawner was writing when it was killed: the record itself is as it was before. Only for who has the state
 * directory to itself.
 */
export async function clearDrafts(stateDir: string): Promise<void> {
  const folder = recordFolder(stateDir);
  const drafts = (await listFolder(folder)).filter((name) => name.endsWith(DRAFT_SUFFIX));
  await Promise.all(drafts.map((name) => rm(path.join(folder, name), { force: true })));
}

/** Undefined when there is none. */
export async function readLaunchRecord(
  stateDir: string,
  sessionId: string,
): Promise<LaunchRecord | UnreadableRecord | undefined> {
  const file = recordFile(stateDir, sessionId);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => error);
  if (typeof text === 'string') return parseLaunchRecord(file, text);
  return text.code === 'ENOENT' ? undefined : { ...nameOf(file), problem: 'corrupt', detail: String(text) };
}

/** All records of this host. What cannot be understood is reported beside the rest and left where it is. */
export async function listLaunchRecords(stateDir: string): Promise<RecordList> {
  const records: LaunchRecord[] = [];
  const unreadable: UnreadableRecord[] = [];
  for (const name of await listRecordFiles(stateDir)) {
    const file = path.join(recordFolder(stateDir), name);
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => error);
    if (typeof text !== 'string') {
      if (text.code !== 'ENOENT')
        unreadable.push({ ...nameOf(file), problem: 'corrupt', detail: String(text) });
      continue;
    }
    const parsed = parseLaunchRecord(file, text);
    if (isUnreadable(parsed)) unreadable.push(parsed);
    else records.push(parsed);
  }
  return { records, unreadable };
}

/** Deleting what is not there succeeds. */
export async function deleteLaunchRecord(stateDir: string, sessionId: string): Promise<void> {
  await rm(recordFile(stateDir, sessionId), { force: true });
}

export function isUnreadable(it: LaunchRecord | UnreadableRecord): it is UnreadableRecord {
  return 'problem' in it;
}

/** Never throws. Fields that we do not know are kept out; a newer version may have added them. */
export function parseLaunchRecord(file: string, text: string): LaunchRecord | UnreadableRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { ...nameOf(file), problem: 'corrupt', detail: String(error) };
  }
  const fields = asObject(value);
  if (fields === undefined) return { ...nameOf(file), problem: 'corrupt', detail: 'not an object' };
  if (fields['schema'] !== LAUNCH_RECORD_SCHEMA) {
    return { ...nameOf(file), problem: 'unsupported', detail: `schema ${String(fields['schema'])}` };
  }
  const wrong = findWrongFields(fields);
  if (wrong.length > 0) return { ...nameOf(file), problem: 'corrupt', detail: `wrong: ${wrong.join(', ')}` };
  return pickFields(fields);
}

function nameOf(file: string): Pick<UnreadableRecord, 'file' | 'sessionId'> {
  return { file, sessionId: path.basename(file, SUFFIX) };
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isFilledText: Check = (value) => typeof value === 'string' && value !== '';
const isCount: Check = (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isPid: Check = (value) => typeof value === 'number' && Number.isSafeInteger(value) && value > 1;
const isTicks: Check = (value) => typeof value === 'string' && /^\d+$/.test(value);
const isOptional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const isRef: Check = (value) => matches(value, { pid: isPid, startTime: isTicks });

const identityChecks: Record<keyof ProcessIdentity, Check> = {
  pid: isPid,
  pgid: isPid,
  startTime: isTicks,
  bootId: isFilledText,
  pidNamespace: isFilledText,
  launchId: isFilledText,
};

const recordChecks: Record<keyof LaunchRecord, Check> = {
  schema: isCount,
  sessionId: (value) => typeof value === 'string' && isSessionId(value),
  generation: isCount,
  launchId: isFilledText,
  hostId: isFilledText,
  profile: isFilledText,
  identity: (value) => matches(value, identityChecks),
  roomName: isFilledText,
  roomSid: isText,
  logFile: isFilledText,
  eventsFile: isText,
  deadlineAt: isOptional(isCount),
  startedAt: isCount,
  phase: (value) => value === 'recorded' || value === 'committed' || value === 'released',
  logOffset: isOptional(isCount),
  eventsOffset: isOptional(isCount),
  remembered: isOptional((value) => Array.isArray(value) && value.every(isRef)),
  cgroup: isOptional(isFilledText),
  session: isOptional((value) => Object.values(asObject(value) ?? { none: undefined }).every(isText)),
};

function findWrongFields(fields: Record<string, unknown>): string[] {
  return Object.entries(recordChecks).flatMap(([name, check]) => (check(fields[name]) ? [] : [name]));
}

function pickFields(fields: Record<string, unknown>): LaunchRecord {
  const known = Object.keys(recordChecks).filter((name) => fields[name] !== undefined);
  return Object.fromEntries(known.map((name) => [name, fields[name]])) as unknown as LaunchRecord;
}

function matches(value: unknown, checks: Record<string, Check>): boolean {
  const fields = asObject(value);
  return fields !== undefined && Object.entries(checks).every(([name, check]) => check(fields[name]));
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function recordFolder(stateDir: string): string {
  return path.join(stateDir, 'launches');
}

function recordFile(stateDir: string, sessionId: string): string {
  // The id becomes a file name: only what is certainly one name gets here.
  if (!isSessionId(sessionId)) throw new Error('not a session id');
  return path.join(recordFolder(stateDir), `${sessionId}${SUFFIX}`);
}

async function listRecordFiles(stateDir: string): Promise<string[]> {
  return (await listFolder(recordFolder(stateDir))).filter((name) => name.endsWith(SUFFIX));
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A rename is only durable once the folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
