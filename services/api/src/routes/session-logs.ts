import Joi from 'joi';
import type { ApiContext } from '../context.js';
import type { Call } from '../http/call.js';
import { defineRoute, type Route } from '../http/route.js';
import { findSession } from '../sessions/find-session.js';
import { followLogs } from '../sessions/follow-logs.js';

interface LogsQuery {
  tail: number;
  follow: boolean;
}

const query = Joi.object<LogsQuery>({
  tail: Joi.number().integer().min(0).max(1000).default(100),
  follow: Joi.boolean().truthy('1').falsy('0').default(false),
});

/** GET /api/session/:id/logs: the agent's last lines, and with `?follow=1` every new one until the session is over. */
export function sessionLogs(context: ApiContext): Route {
  const { redis } = context;
  return defineRoute({
    method: 'get',
    paths: ['/api/session/:id/logs'],
    access: 'admin',
    query,
    async handle(call: Call<unknown, LogsQuery>) {
      const { query, client } = call;
      const { id } = await findSession(redis, call.id, client);
      if (query.follow && call.request.method === 'GET') {
        await followLogs(id, query.tail, call, context);
        return undefined;
      }
      const lines = query.tail === 0 ? [] : await redis.agents.recentLines(id, query.tail);
      return { status: 200, body: { success: true, sessionId: id, lines } };
    },
  });
}
