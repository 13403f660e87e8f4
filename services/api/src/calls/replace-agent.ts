import type { CallRecord, RedisSchema } from '@greenroom/redis-schema';
import type { SendOutcome } from './call-sender.js';

/**
 * Another agent into the same room, by the step that an admin's wish takes, too. One that was launched after the command was
 * given is that other agent already.
 * @throws when its host is not heard: nobody can tell, and it is asked again
 */
export async function replaceAgent(
  redis: Pick<RedisSchema, 'sessions'>,
  { sessionId }: CallRecord,
  commandedAt: number,
): Promise<SendOutcome> {
  if (sessionId === undefined) return 'refused';
  const result = await redis.sessions.requestRestart(sessionId, { launchedBefore: commandedAt });
  switch (result.status) {
    case 'restarting':
      return 'confirmed';
    // The rules then apologise and end the call.
    case 'refused':
    case 'no_host':
      return 'refused';
    case 'host_unreachable':
      throw new Error('the host of the agent is not heard');
    // The call goes with its session.
    case 'ended':
    case 'not_found':
      return 'confirmed';
  }
}
