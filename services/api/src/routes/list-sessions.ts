import { END_REASONS, type EndReason, type SessionState } from '@greenroom/contracts';
import Joi from 'joi';
import type { ApiContext } from '../context.js';
import type { Call } from '../http/call.js';
import { defineRoute, type Route } from '../http/route.js';
import { pageCursor } from '../http/validate.js';
import { viewEnded } from '../sessions/history-view.js';
import { viewSessionForAdmin } from '../sessions/session-view.js';
import { sessionFilter } from './end-sessions.js';

interface ListQuery {
  history: boolean;
  status?: SessionState;
  userId?: string;
  profile?: string;
  host?: string;
  olderThanMs?: number;
  search?: string;
  reason?: EndReason;
  from?: Date;
  to?: Date;
  cursor?: string;
  limit: number;
}

/** What only ended sessions have. */
const ofHistory = <T extends Joi.AnySchema>(schema: T) =>
  schema.when('history', { is: true, otherwise: Joi.forbidden() });

/** What only live ones have. */
const ofLiveOnes = <T extends Joi.AnySchema>(schema: T) =>
  schema.when('history', { is: true, then: Joi.forbidden() });

const query = Joi.object<ListQuery>({
  history: Joi.boolean().truthy('1').falsy('0').default(false),
  ...sessionFilter,
  status: ofLiveOnes(sessionFilter.status),
  olderThanMs: ofLiveOnes(sessionFilter.olderThanMs),
  search: ofLiveOnes(sessionFilter.search),
  reason: ofHistory(Joi.string().valid(...END_REASONS)),
  from: ofHistory(Joi.date().iso()),
  to: ofHistory(Joi.date().iso()),
  cursor: pageCursor,
  limit: Joi.number().integer().min(1).max(200).default(50),
});

/**
 * GET /api/sessions: live sessions, newest first, warm agents included; with `?history=1` callers' sessions that are over,
 * newest end first.
 */
export function listSessions({ redis }: ApiContext): Route {
  return defineRoute({
    method: 'get',
    paths: ['/api/sessions'],
    access: 'admin',
    query,
    async handle({
      query: { cursor, limit, history, reason, from, to, ...filter },
    }: Call<unknown, ListQuery>) {
      if (history) {
        const times = { from: from?.getTime(), to: to?.getTime() };
        const page = await redis.history.list({ ...filter, reason, ...times }, { cursor, limit });
        return {
          status: 200,
          body: { success: true, sessions: page.entries.map(viewEnded), nextCursor: page.nextCursor ?? null },
        };
      }
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
