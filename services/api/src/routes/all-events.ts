import Joi from 'joi';
import type { ApiContext } from '../context.js';
import { STREAM_KINDS, type StreamKind } from '../events/overview-events.js';
import { OverviewFeed } from '../events/overview-feed.js';
import type { ReaderHub } from '../events/reader-hub.js';
import type { Call } from '../http/call.js';
import { defineRoute, type Route } from '../http/route.js';
import { keyPart, profileName } from '../http/validate.js';
import { lastEventId } from './session-events.js';

interface EventsQuery {
  /** Comma-separated. */
  kinds?: string;
  profile?: string;
  host?: string;
  lastEventId?: string;
}

const query = Joi.object<EventsQuery>({
  kinds: Joi.string()
    .pattern(new RegExp(`^(${STREAM_KINDS.join('|')})(,(${STREAM_KINDS.join('|')}))*$`))
    .messages({ 'string.pattern.base': `{#label} must be some of ${STREAM_KINDS.join(',')}` }),
  profile: profileName,
  host: keyPart(64),
  lastEventId,
});

/** GET /api/sessions/events: what happens to all sessions, pools and hosts. */
export function allEvents({ redis }: ApiContext, readers: ReaderHub): Route {
  return defineRoute({
    method: 'get',
    paths: ['/api/sessions/events'],
    access: 'admin',
    query,
    async handle(call: Call<unknown, EventsQuery>) {
      const { kinds, profile, host } = call.query;
      const wanted = kinds === undefined ? STREAM_KINDS : (kinds.split(',') as StreamKind[]);
      await readers.serve(
        call,
        new OverviewFeed(redis, { kinds: wanted, profile, host }),
        call.query.lastEventId,
      );
      return undefined;
    },
  });
}
