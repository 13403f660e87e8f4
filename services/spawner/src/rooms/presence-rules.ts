import type { PresenceRules } from '@greenroom/redis-schema';
import type { SpawnerContext } from '../spawner-context.js';

/** How long nobody ends anything because of an absence, as of now. */
export function presenceRules({ config, redis, rooms }: SpawnerContext): PresenceRules {
  const { joinGraceMs, leaveGraceMs, hungAfterMs: agentGraceMs } = config;
  // Whoever was cut off with LiveKit has the same time to come back as one who left.
  const outageEndedMs = rooms.outages.absentUntilMs + leaveGraceMs;
  const notBefore = Number.isFinite(outageEndedMs)
    ? outageEndedMs - performance.now() + redis.clock.now()
    : undefined;
  return { joinGraceMs, leaveGraceMs, agentGraceMs, notBefore };
}
