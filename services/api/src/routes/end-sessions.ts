import {
  type EndSessionsRequest,
  type EndSessionsResponse,
  SESSION_STATES,
  type SessionFilter,
} from '@greenroom/contracts';
import Joi from 'joi';
import type { ApiContext } from '../context.js';
import type { Call } from '../http/call.js';
import { defineRoute, type Route } from '../http/route.js';
import { boundedText, keyPart, profileName } from '../http/validate.js';
import { askForEnds } from '../sessions/ask-for-end.js';

const anyAge = Joi.number().integer().min(0);

/** What live sessions may be chosen by. */
export const sessionFilter = {
  status: Joi.string().valid(...SESSION_STATES.filter((state) => state !== 'gone')),
  userId: keyPart(128),
  profile: profileName,
  host: keyPart(64),
  olderThanMs: anyAge,
  search: boundedText(200),
};

/** All are older than 0: that would be a filter which lets everything through, and ends every call without `all`. */
const body = Joi.object<EndSessionsRequest>({
  filter: Joi.object<SessionFilter>({ ...sessionFilter, olderThanMs: anyAge.min(1) }).min(1),
  all: Joi.boolean().valid(true),
  dryRun: Joi.boolean().default(false),
  reason: boundedText(500).empty(''),
  immediately: Joi.boolean().default(false),
})
  .xor('filter', 'all')
  .messages({
    'object.missing': 'name a filter, or say all: true',
    'object.xor': 'name a filter or say all: true, not both',
    'object.min': '{#label} must name something; to end every session say all: true',
  });

/** POST /api/sessions/end: asks for the end of all that match, warm agents included; a dry run counts them. */
export function endSessions(context: ApiContext): Route {
  return defineRoute({
    method: 'post',
    paths: ['/api/sessions/end'],
    access: 'admin',
    body,
    async handle({ body: { filter = {}, dryRun = false, reason, immediately } }: Call<EndSessionsRequest>) {
      const counts = await askForEnds(context, {
        filter,
        dryRun,
        reason: 'admin_ended',
        by: 'admin',
        detail: reason,
        atOnce: immediately,
      });
      const answer: EndSessionsResponse = { success: true, ...counts, dryRun };
      return { status: 202, body: answer };
    },
  });
}
