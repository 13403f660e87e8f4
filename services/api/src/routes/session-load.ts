import { CodedError, type SessionLoadView } from '@greenroom/contracts';
import type { ApiContext } from '../context.js';
import { defineRoute, type Route } from '../http/route.js';
import { requireSessionId } from '../sessions/find-session.js';
import { isoTime } from '../sessions/session-view.js';

/** GET /api/session/:id/load: what its agent used at each health check, for an hour after the end too. */
export function sessionLoad({ redis }: ApiContext): Route {
  return defineRoute({
    method: 'get',
    paths: ['/api/session/:id/load'],
    access: 'admin',
    async handle({ id }) {
      const found = await redis.sessions.read(requireSessionId(id));
      if (found.status === 'not_found') throw new CodedError('session_not_found');
      const sessionId = found.status === 'live' ? found.session.id : found.ended.id;
      const samples = (await redis.agents.load(sessionId)).map(({ at, ...used }) => ({
        at: isoTime(at),
        ...used,
      }));
      return { status: 200, body: { success: true, sessionId, samples } satisfies SessionLoadView };
    },
  });
}
