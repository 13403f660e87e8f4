import { CodedError } from '@greenroom/contracts';
import type { ApiContext } from '../context.js';
import type { Call } from '../http/call.js';
import { defineRoute, type Route } from '../http/route.js';
import { requireSessionId, sessionEnded } from '../sessions/find-session.js';

/** POST /api/session/:id/restart: a new agent into the same room; the owner of the process does it. */
export function restartSession({ redis, logger }: ApiContext): Route {
  return defineRoute({
    method: 'post',
    paths: ['/api/session/:id/restart'],
    access: 'admin',
    async handle({ id, requestId }: Call) {
      const result = await redis.sessions.requestRestart(requireSessionId(id));
      switch (result.status) {
        case 'restarting':
          logger.info('restart asked for', { requestId, generation: result.session.generation });
          return { status: 202, body: restarting(id) };
        case 'refused':
          throw new CodedError('session_not_restartable', {
            detail: `Only a call with an agent can get a new one; this session is ${result.session.status}.`,
          });
        case 'ended':
          throw sessionEnded(result.ended);
        case 'not_found':
          throw new CodedError('session_not_found');
        case 'no_host':
        case 'host_unreachable':
          throw new CodedError(result.status);
      }
    },
  });
}

function restarting(sessionId: string): object {
  const message = 'The agent is being replaced. The session and its room stay.';
  return { success: true, sessionId, status: 'restarting', message };
}
