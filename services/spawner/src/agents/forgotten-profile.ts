import type { SessionRecord } from '@greenroom/redis-schema';
import { DEFAULT_READINESS_PATTERNS } from '../logs/index.js';
import type { SpawnerContext } from '../spawner-context.js';
import { type Profile, rulesOf } from './profile.js';

/**
 * The profile of a launch. One that was taken out of the file lives on in its calls: they go on to their end, under the
 * rules that hold where a profile says nothing, and get no new launch on this host.
 */
export function profileOf(
  { config, profiles }: Pick<SpawnerContext, 'config' | 'profiles'>,
  { profile: name }: Pick<SessionRecord, 'profile'>,
): Profile {
  return (
    profiles.get(name) ?? {
      ...rulesOf(config),
      name,
      description: undefined,
      command: '',
      args: [],
      cwd: '/',
      variables: {},
      voices: [],
      ready: 'any',
      readyPatterns: DEFAULT_READINESS_PATTERNS,
      healthTimeoutMs: 0,
      pool: { kind: 'fixed', size: 0 },
    }
  );
}
