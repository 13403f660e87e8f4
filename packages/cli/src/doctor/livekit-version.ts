import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { PortOwner } from './port-owner.js';

const LIMIT_MS = 3_000;

/** What the livekit-server that runs here, or would be started, says of itself; LiveKit's api does not tell. */
export async function readLiveKitVersion(
  owner: PortOwner | undefined,
  program: string | undefined,
): Promise<string | undefined> {
  const isLiveKit = owner?.pid !== undefined && /livekit/.test(owner.command ?? '');
  const file = isLiveKit ? `/proc/${owner.pid}/exe` : program;
  if (file === undefined) return undefined;
  try {
    const { stdout } = await promisify(execFile)(file, ['--version'], { timeout: LIMIT_MS });
    return /version (\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}
