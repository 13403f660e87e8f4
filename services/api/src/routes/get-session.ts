import type { ApiContext } from '../context.js';
import { defineRoute, type Route } from '../http/route.js';
import { findAsking } from '../sessions/find-session.js';
import { viewPlace, viewSession, viewSessionForAdmin } from '../sessions/session-view.js';

/** GET /api/session/:id, made for polling: one read, and in line a step more, which keeps the place. */
export function getSession({ redis }: ApiContext): Route {
  return defineRoute({
    method: 'get',
    paths: ['/api/session/:id'],
    access: 'holder',
    async handle({ id, client }) {
      const { session, inLine } = await findAsking(redis, id, client);
      const view = client.kind === 'admin' ? viewSessionForAdmin(session) : viewSession(session);
      return { status: 200, body: { success: true, ...view, ...(inLine && viewPlace(inLine)) } };
    },
  });
}
