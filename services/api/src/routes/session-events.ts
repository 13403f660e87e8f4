import Joi from 'joi';
import type { ApiContext } from '../context.js';
import type { ReaderHub } from '../events/reader-hub.js';
import { SessionFeed } from '../events/session-feed.js';
import type { Call } from '../http/call.js';
import { defineRoute, type Route } from '../http/route.js';
import { requireSessionId } from '../sessions/find-session.js';

/** Browsers send Last-Event-ID by themselves when they come back, but cannot be made to send it at first. */
export const lastEventId = Joi.string().max(128);

const query = Joi.object<{ lastEventId?: string }>({ lastEventId });

/** GET /api/session/:id/events: what happens in a session, until it is over. */
export function sessionEvents({ redis }: ApiContext, readers: ReaderHub): Route {
  return defineRoute({
    method: 'get',
    paths: ['/api/session/:id/events'],
    access: 'holder',
    query,
    async handle(call: Call<unknown, { lastEventId?: string }>) {
      const feed = new SessionFeed(requireSessionId(call.id), { redis, client: call.client });
      await readers.serve(call, feed, call.query.lastEventId);
      return undefined;
    },
  });
}
