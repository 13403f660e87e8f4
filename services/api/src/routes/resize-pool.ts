import { CodedError } from '@greenroom/contracts';
import Joi from 'joi';
import type { ApiContext } from '../context.js';
import type { Call } from '../http/call.js';
import { defineRoute, type Route } from '../http/route.js';
import { profileName } from '../http/validate.js';

interface ResizeRequest {
  size: number;
  profile: string;
}

const body = Joi.object<ResizeRequest>({
  size: Joi.number().integer().min(0).max(1000).required(),
  profile: profileName.default('default'),
});

/** POST /api/pool/resize: how many warm agents there should be. Shrinking ends idle ones only. */
export function resizePool({ redis, logger }: ApiContext): Route {
  return defineRoute({
    method: 'post',
    paths: ['/api/pool/resize'],
    access: 'admin',
    body,
    async handle({ body: { size, profile }, requestId }: Call<ResizeRequest>) {
      const result = await redis.pools.resize(profile, size);
      if (result.status === 'unknown_profile') throw new CodedError('unknown_profile');
      const { target, previous } = result;
      logger.info('pool resized', { requestId, profile, target, previous });
      return { status: 200, body: { success: true, profile, target, previous } };
    },
  });
}
