import { createHash } from 'node:crypto';
import type { Profile } from './profile.js';

/**
 * Names all that decides what an agent of this profile is: the program, its environment, its limits, and the release of
 * Greenroom. Warm agents of another version are replaced. A hash, for the environment may hold secrets.
 */
export function profileVersion(profile: Profile, release: string): string {
  const { name, command, args, cwd, variables, limits } = profile;
  const sorted = Object.entries(variables).sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = [release, name, command, args, cwd, sorted, limits.memoryBytes ?? 0, limits.processes ?? 0];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}
