import type { ApiContext } from '../context.js';
import { defineRoute, type Route } from '../http/route.js';
import { findAsking } from '../sessions/find-session.js';
import { findDeadAir } from '../sessions/dead-air-view.js';
import { viewPlace, viewSession, viewSessionForAdmin } from '../sessions/session-view.js';

/**
 * GET /api/session/:id, made for polling: one read, and in line a step more, which keeps the place. Admins are told of more
 * than its hash has.
 */
export function getSession({ redis }: ApiContext): Route {
  return defineRoute({
    method: 'get',
    paths: ['/api/session/:id'],
    access: 'holder',
    async handle({ id, client }) {
      const { session, inLine } = await findAsking(redis, id, client);
      const isAdmin = client.kind === 'admin';
      const view = isAdmin ? viewSessionForAdmin(session) : viewSession(session);
      const deadAir = isAdmin ? await findDeadAir(redis, session) : undefined;
      const body = { success: true, ...view, ...(inLine && viewPlace(inLine)), ...(deadAir && { deadAir }) };
      return { status: 200, body };
    },
  });
}
