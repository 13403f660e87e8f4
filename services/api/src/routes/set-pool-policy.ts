import { CodedError, type PoolPolicy } from '@greenroom/contracts';
import { policySetting, poolPolicySchema } from '@greenroom/service-kit';
import Joi from 'joi';
import type { ApiContext } from '../context.js';
import type { Call } from '../http/call.js';
import { defineRoute, type Route } from '../http/route.js';
import { profileName } from '../http/validate.js';

interface PolicyRequest {
  policy: PoolPolicy;
  profile: string;
}

const body = Joi.object<PolicyRequest>({
  policy: poolPolicySchema.required(),
  profile: profileName.default('default'),
});

/** PUT /api/pool/policy: what decides how many warm agents there should be. Holds at once, for the whole deployment. */
export function setPoolPolicy({ redis, logger }: ApiContext): Route {
  return defineRoute({
    method: 'put',
    paths: ['/api/pool/policy'],
    access: 'admin',
    body,
    async handle({ body: { policy, profile }, requestId }: Call<PolicyRequest>) {
      const setting = policySetting(policy, redis.clock.now());
      const result = await redis.pools.setPolicy(profile, setting);
      if (result.status === 'unknown_profile') throw new CodedError('unknown_profile');
      const { target, previous } = result;
      logger.info('pool policy set', { requestId, profile, policy: policy.kind, target, previous });
      return { status: 200, body: { success: true, profile, policy, target, previous } };
    },
  });
}
