import { CodedError } from '@greenroom/contracts';
import Joi from 'joi';
import type { ApiContext } from '../context.js';
import type { Call } from '../http/call.js';
import { defineRoute, type Route } from '../http/route.js';
import { keyPart } from '../http/validate.js';

interface ForgetQuery {
  scope?: string;
}

const query = Joi.object<ForgetQuery>({
  scope: Joi.string()
    .pattern(/^(open|admin|k[0-9a-f]{8})$/)
    .messages({ 'string.pattern.base': '{#label} must be open, admin, or the mark of a client key' }),
});

const userIdSchema = keyPart(128);

/**
 * DELETE /api/users/:userId/data: removes what is kept of a user, of every client that has one of that name unless `?scope=`
 * names one. A call that goes on is forgotten with its end.
 */
export function forgetUser({ redis, logger }: ApiContext): Route {
  return defineRoute({
    method: 'delete',
    paths: ['/api/users/:userId/data'],
    access: 'admin',
    query,
    async handle({ request, requestId, query: { scope } }: Call<unknown, ForgetQuery>) {
      const userId = String(request.params.userId ?? '');
      const { error } = userIdSchema.label('userId').validate(userId);
      if (error) throw new CodedError('invalid_request', { detail: `${error.message}.` });
      const done = await redis.history.forgetUser(userId, scope === 'open' ? '' : scope);
      // Who it was would be kept in the log otherwise.
      logger.info('a user was forgotten', { requestId, sessions: done.forgotten, live: done.live });
      return { status: 204, body: {} };
    },
  });
}
