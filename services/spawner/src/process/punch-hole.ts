import { execFile } from 'node:child_process';
import { trackChild } from './own-children.js';

/** `unsupported`: this system or file system cannot; it will not be tried again. */
export type PunchOutcome = { kind: 'punched' } | { kind: 'unsupported' } | { kind: 'failed'; reason: string };

const TIMEOUT_MS = 10_000;
const TOOL_PATH = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';

/**
 * Gives the first `bytes` of a file back to the disk. They read as zeros afterwards, while the file's size and all
 * offsets stay, so writers and readers go on undisturbed. Uses fallocate(1) of util-linux: Node has no call for it, and
 * that of BusyBox cannot.
 */
export function punchHole(file: string, bytes: number): Promise<PunchOutcome> {
  const args = ['-p', '-o', '0', '-l', String(bytes), '--', file];
  const options = { env: { PATH: TOOL_PATH, LC_ALL: 'C' }, timeout: TIMEOUT_MS };
  return new Promise((resolve) => {
    const child = execFile('fallocate', args, options, (error, _stdout, stderr) => {
      resolve(error === null ? { kind: 'punched' } : classify(error, stderr));
    });
    trackChild(child);
  });
}

function classify(error: Error & { code?: number | string | null }, stderr: string): PunchOutcome {
  const isMissingTool = error.code === 'ENOENT';
  const isUnsupported = /not supported|(unrecognized|invalid|unknown) option|usage:/i.test(stderr);
  if (isMissingTool || isUnsupported) return { kind: 'unsupported' };
  return { kind: 'failed', reason: stderr.trim() || error.message };
}
