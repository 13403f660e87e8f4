import { SESSION_STATES, type SessionState } from '@greenroom/contracts';
import Joi from 'joi';
import type { ApiContext } from '../context.js';
import type { Call } from '../http/call.js';
import { defineRoute, type Route } from '../http/route.js';
import { keyPart, profileName } from '../http/validate.js';
import { viewSessionForAdmin } from '../sessions/session-view.js';

interface ListQuery {
  status?: SessionState;
  userId?: string;
  profile?: string;
  host?: string;
  cursor?: string;
  limit: number;
}

const query = Joi.object<ListQuery>({
  status: Joi.string().valid(...SESSION_STATES.filter((state) => state !== 'gone')),
  userId: keyPart(128),
  profile: profileName,
  host: keyPart(64),
  cursor: Joi.string()
    .max(512)
    .pattern(/^[A-Za-z0-9_-]+$/)
    .messages({ 'string.pattern.base': '{#label} is not one that a page of this list gave' }),
  limit: Joi.number().integer().min(1).max(200).default(50),
});

/** GET /api/sessions: live sessions, newest first, warm agents included. */
export function listSessions({ redis }: ApiContext): Route {
  return defineRoute({
    method: 'get',
    paths: ['/api/sessions'],
    access: 'admin',
    query,
    async handle({ query: { cursor, limit, ...filter } }: Call<unknown, ListQuery>) {
      const page = await redis.sessions.list(filter, { cursor, limit });
      return {
        status: 200,
        body: {
          success: true,
          sessions: page.sessions.map(viewSessionForAdmin),
          nextCursor: page.nextCursor ?? null,
        },
      };
    },
  });
}
