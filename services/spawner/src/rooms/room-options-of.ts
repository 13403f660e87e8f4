import { type RoomOptions, roomOptions } from '@greenroom/contracts';
import type { AgentRun } from '../agent-run.js';
import type { SpawnerContext } from '../spawner-context.js';

/** The room that an agent works in, the same whenever it is made. */
export function roomOptionsOf(context: SpawnerContext, { id, session, profile }: AgentRun): RoomOptions {
  const { config, deployment } = context;
  const { sessionTimeoutMs, leaveGraceMs } = config;
  const { userId, userName, voiceId } = session;
  const times = { sessionTimeoutMs, warmMaxAgeMs: profile.warmMaxAgeMs, leaveGraceMs };
  return roomOptions({ sessionId: id, deployment, ...times, userId, userName, voiceId });
}
