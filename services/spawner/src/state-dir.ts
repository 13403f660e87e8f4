import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
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
  readonly agentLogs: string;
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
    agentLogs,
    logFile: (sessionId, generation) => path.join(agentLogs, `${sessionId}-g${generation}.log`),
    eventsFile: (sessionId, generation) => path.join(events, `${sessionId}-g${generation}.jsonl`),
  };
}

/** A launch id of this state directory. */
export function newLaunchId(state: StateDir): string {
  return `${state.launchPrefix}-${randomName(12)}`;
}

async function keep(file: string, fresh: string): Promise<string> {
  try {
    await writeFile(file, `${fresh}\n`, { flag: 'wx', mode: 0o600 });
    return fresh;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return (await readFile(file, 'utf8')).trim();
  }
}

function randomName(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}
