import type { DeadAirSettings, DeadAirView } from '@greenroom/contracts';
import { completeSettings } from '@greenroom/dead-air';
import {
  type CallRecord,
  RedisRecoveringError,
  type RedisSchema,
  type SessionRecord,
} from '@greenroom/redis-schema';

/**
 * How silence is treated in a session, and would be in one whose call has not begun; undefined where nobody watches for it, or
 * nobody can tell, since Redis has lost data: the session itself is seen all the same.
 */
export async function findDeadAir(
  redis: Pick<RedisSchema, 'calls' | 'profiles'>,
  session: SessionRecord,
): Promise<DeadAirView | undefined> {
  const [call, profile] = await Promise.all([
    redis.calls.findBySession(session.id).catch(lostOr),
    profileSettings(redis, session.profile),
  ]);
  if (call === 'lost' || (call === undefined && profile === undefined)) return undefined;
  return viewDeadAir(call ?? { settings: profile ?? {}, medium: 'livekit' }, profile);
}

function lostOr(error: unknown): 'lost' {
  if (error instanceof RedisRecoveringError) return 'lost';
  throw error;
}

export function viewDeadAir(
  { settings, medium }: Pick<CallRecord, 'settings' | 'medium'>,
  profile: DeadAirSettings = {},
): DeadAirView {
  const names = Object.keys({ ...settings, ...profile }) as (keyof DeadAirSettings)[];
  const changed = names.filter((name) => JSON.stringify(settings[name]) !== JSON.stringify(profile[name]));
  return { settings: completeSettings(settings, medium), profile, changed };
}

/** What a profile says of it, as a spawner has published it. */
export async function profileSettings(
  redis: Pick<RedisSchema, 'profiles'>,
  name: string,
): Promise<DeadAirSettings | undefined> {
  const profiles = await redis.profiles.list();
  return profiles.find((profile) => profile.name === name)?.deadAirSettings;
}
