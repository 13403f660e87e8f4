import { CodedError } from '@greenroom/contracts';
import type { ApiContext } from '../context.js';
import { defineRoute, type Route } from '../http/route.js';
import { requireSessionId } from '../sessions/find-session.js';
import { viewEnded } from '../sessions/history-view.js';

/** GET /api/session/:id/history: what is kept of a session that is over. */
export function sessionHistory({ redis }: ApiContext): Route {
  return defineRoute({
    method: 'get',
    paths: ['/api/session/:id/history'],
    access: 'admin',
    async handle({ id }) {
      const entry = await redis.history.read(requireSessionId(id));
      if (entry === undefined) throw new CodedError('session_not_found', { detail: NO_ENTRY });
      return { status: 200, body: { success: true, ...viewEnded(entry) } };
    },
  });
}

const NO_ENTRY =
  'The history has no session of this id. A call gets its entry when it is over, and loses it after HISTORY_RETENTION_DAYS.';
