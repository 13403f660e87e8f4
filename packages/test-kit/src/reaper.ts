import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../reaper.sh', import.meta.url));

let reaper: ChildProcess | undefined;

/** From now on this group is killed if we die; see reaper.sh. */
export function guardGroup(pgid: number): void {
  tell(`add ${pgid}`);
}

export function releaseGroup(pgid: number): void {
  tell(`del ${pgid}`);
}

/** From now on, if we die, processes whose environment names this directory are killed and it is removed. */
export function guardDirectory(path: string): void {
  tell(`dir ${path}`);
}

export function releaseDirectory(path: string): void {
  tell(`undir ${path}`);
}

function tell(line: string): void {
  reaper ??= startReaper();
  reaper.stdin?.write(`${line}\n`);
}

/** In a session of its own, and known to nobody: neither Ctrl-C nor an open handle of jest's concerns it. */
function startReaper(): ChildProcess {
  const child = spawn('/bin/sh', [SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], env: {} });
  child.on('error', () => undefined);
  child.stdin?.on('error', () => undefined);
  child.unref();
  (child.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  return child;
}
