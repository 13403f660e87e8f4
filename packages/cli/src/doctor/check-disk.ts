import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { failure, type Finding, ok, warning } from './finding.js';
import { formatBytes } from '../output/units.js';

const MIB = 1024 * 1024;
/** Below this multiple of the low-water mark there is time to do something. */
const AMPLE = 4;
/** Where the low-water mark is turned off. */
const LEAST_MB = 64;

/** Whether logs and records have room: a full disk ends every agent that prints. */
export function checkDisk(stateDir: string, lowWaterMb: number): Finding[] {
  const folder = nearestExisting(resolve(stateDir));
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    return [
      failure(
        'disk.writable',
        `STATE_DIR (${folder}) cannot be written to by this user.`,
        `sudo chown -R "$USER" ${folder}`,
      ),
    ];
  }
  const { bavail, bsize, files, ffree } = statfsSync(folder);
  return [
    judgeFreeSpace(folder, bavail * bsize, Math.max(lowWaterMb, LEAST_MB) * MIB),
    ...(files > 0 && ffree / files < 0.02
      ? [
          warning(
            'disk.inodes',
            `Where STATE_DIR lies only ${ffree} more files fit.`,
            `df -i ${folder} shows it; remove small files that nobody needs.`,
          ),
        ]
      : []),
  ];
}

/** Pure, for the tests. */
export function judgeFreeSpace(folder: string, freeBytes: number, lowWaterBytes: number): Finding {
  const free = formatBytes(freeBytes);
  const fix = `df -h ${folder} shows it: remove what nobody needs, or put STATE_DIR on a larger disk.`;
  if (freeBytes < lowWaterBytes) {
    return failure(
      'disk.space',
      `Where STATE_DIR lies only ${free} are free: agent logs are deleted below ${formatBytes(lowWaterBytes)}, and full it ends agents that print.`,
      fix,
    );
  }
  if (freeBytes < lowWaterBytes * AMPLE) {
    return warning('disk.space', `Where STATE_DIR lies only ${free} are free.`, fix);
  }
  return ok('disk.space', `Where STATE_DIR lies (${folder}) ${free} are free.`);
}

function nearestExisting(folder: string): string {
  return existsSync(folder) || folder === dirname(folder) ? folder : nearestExisting(dirname(folder));
}
