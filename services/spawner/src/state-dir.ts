import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** The folder in which one spawner keeps what must outlive it. */
export interface StateDir {
  readonly root: string;
  /** Names this host among the spawners. */
  readonly hostId: string;
  /** In front of every launch id, so that processes of another spawner on this machine are never taken for ours. */
  readonly launchPrefix: string;
  logFile(sessionId: string, generation: number): string;
  eventsFile(sessionId: string, generation: number): string;
  /** What the probe at our start prints. */
  readonly probeFile: string;
  readonly agentLogs: string;
  /** What agents report, transcripts included: a file a launch, gone with its session. */
  readonly events: string;
  /** The life of Redis's data in which this host last took part. */
  readLife(): Promise<Partial<DataLife>>;
  rememberLife(life: DataLife): Promise<void>;
}

export interface DataLife {
  /** As Redis gave it; another one knows nothing of launches that were not published in it. */
  readonly epoch: string;
  /** Marks our rooms; given back to a Redis that has lost it. */
  readonly deployment: string;
}

/** Makes the folder, and on its first use the names that stay with it. */
export async function openStateDir(
  root: string,
  options: { hostId: string | undefined; machineName: string },
): Promise<StateDir> {
  const agentLogs = path.join(root, 'agents');
  const events = path.join(root, 'events');
  for (const folder of [root, agentLogs, events]) await mkdir(folder, { recursive: true, mode: 0o700 });
  const launchPrefix = await keep(path.join(root, 'launch-prefix'), randomName(8));
  const machine = options.machineName.replace(/[^A-Za-z0-9_.-]/g, '-').slice(0, 48);
  const hostId = options.hostId ?? (await keep(path.join(root, 'host-id'), `${machine}-${randomName(4)}`));
  return {
    root,
    hostId,
    launchPrefix,
    probeFile: path.join(root, 'probe.log'),
    agentLogs,
    events,
    logFile: (sessionId, generation) => path.join(agentLogs, `${sessionId}-g${generation}.log`),
    eventsFile: (sessionId, generation) => path.join(events, `${sessionId}-g${generation}.jsonl`),
    readLife: () => readLife(path.join(root, 'redis-life.json')),
    rememberLife: (life) => replaceFile(path.join(root, 'redis-life.json'), `${JSON.stringify(life)}\n`),
  };
}

/** Without one, or with one that a crash has spoilt, everything is published: that is never wrong. */
async function readLife(file: string): Promise<Partial<DataLife>> {
  const text = await readFile(file, 'utf8').catch(ignoreMissing);
  try {
    const { epoch, deployment } = JSON.parse(text ?? '{}') as Record<string, unknown>;
    return {
      ...(typeof epoch === 'string' && { epoch }),
      ...(typeof deployment === 'string' && { deployment }),
    };
  } catch {
    return {};
  }
}

/** A launch id of this state directory. */
export function newLaunchId(state: StateDir): string {
  return `${state.launchPrefix}-${randomName(12)}`;
}

/** The file's text; written on the first use. A crash or a full disk may have left it empty: that is none. */
async function keep(file: string, fresh: string): Promise<string> {
  const known = (await readFile(file, 'utf8').catch(ignoreMissing))?.trim();
  if (known) return known;
  await replaceFile(file, `${fresh}\n`);
  return fresh;
}

/** After any crash either the old text is there or the new one. */
async function replaceFile(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomName(4)}.tmp`;
  await writeFile(draft, text, { flag: 'wx', mode: 0o600, flush: true });
  await rename(draft, file);
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}

function randomName(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}
