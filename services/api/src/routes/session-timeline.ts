import { CodedError, type SessionTimelineView } from '@greenroom/contracts';
import type { ApiContext } from '../context.js';
import { defineRoute, type Route } from '../http/route.js';
import { requireSessionId, sessionEnded } from '../sessions/find-session.js';
import { viewTimeline, viewTimelineOfEnded } from '../sessions/timeline-view.js';

/** GET /api/session/:id/timeline: what happened in a session from its beginning, live or over. */
export function sessionTimeline({ redis, config }: ApiContext): Route {
  return defineRoute({
    method: 'get',
    paths: ['/api/session/:id/timeline'],
    access: 'admin',
    async handle({ id, client }) {
      const { listenIn } = config;
      const found = await redis.events.readTimeline(requireSessionId(id));
      if (found.status === 'live') return answer({ ...viewTimeline(found, { redis, client }), listenIn });
      const entry = await redis.history.read(id);
      if (entry !== undefined) {
        return answer({ ...viewTimelineOfEnded(entry, await redis.history.turns(entry.id)), listenIn });
      }
      throw found.status === 'ended' ? sessionEnded(found.ended) : new CodedError('session_not_found');
    },
  });
}

function answer(body: SessionTimelineView) {
  return { status: 200, body };
}
