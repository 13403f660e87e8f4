import type { PoolPolicy, PoolPolicyKind } from '@greenroom/contracts';
import Joi from 'joi';
import { checkCron, checkTimeZone } from './schedule.js';

/** Warm agents of one pool at most, whatever the policy says. */
const MAX_POOL = 1000;
const DAY_SECONDS = 86_400;

const agents = Joi.number().integer().min(0).max(MAX_POOL);
const percentage = Joi.string()
  .pattern(/^(?=.{2,7}$)\d{1,4}(\.\d+)?%$/)
  .messages({ 'string.pattern.base': '{#label} must be a number, or per cent such as "20%"' });

function policy(kind: PoolPolicyKind, fields: Joi.PartialSchemaMap): Joi.ObjectSchema {
  return Joi.object({ kind: Joi.valid(kind).required(), ...fields });
}

function bounds(min: number): { min: Joi.NumberSchema; max: Joi.NumberSchema } {
  return {
    min: agents.default(min),
    max: agents
      .min(Joi.ref('min'))
      .required()
      .messages({ 'number.min': '{#label} must not be less than min' }),
  };
}

const fixed = policy('fixed', { size: agents.required() });

const buffer = policy('buffer', {
  size: Joi.alternatives().conditional(Joi.string(), { then: percentage, otherwise: agents }).required(),
  ...bounds(0),
});

const rate = policy('rate', {
  safety: Joi.number().min(0).max(10).default(3),
  ...bounds(1),
  windowSeconds: Joi.number().min(1).max(DAY_SECONDS).default(300),
});

const schedule = policy('schedule', {
  timeZone: Joi.string().custom(checked(checkTimeZone)).default('UTC'),
  base: agents.default(0),
  entries: Joi.array()
    .items(
      Joi.object({
        cron: Joi.string().max(100).custom(checked(checkCron)).required(),
        size: agents.required(),
        forSeconds: Joi.number().integer().min(1),
      }),
    )
    .min(1)
    .max(100)
    .required(),
});

/** Checks a pool policy and fills in what it leaves to us, wherever one is written: a profiles file, a request. */
export const poolPolicySchema = Joi.alternatives<PoolPolicy>().conditional('.kind', {
  switch: [
    { is: 'fixed', then: fixed },
    { is: 'buffer', then: buffer },
    { is: 'rate', then: rate },
    { is: 'schedule', then: schedule },
  ],
  otherwise: Joi.object({ kind: Joi.valid('fixed', 'buffer', 'rate', 'schedule').required() }).unknown(),
});

function checked(check: (text: string) => void): Joi.CustomValidator<string> {
  return (text, helpers) => {
    try {
      check(text);
      return text;
    } catch (error) {
      // joi takes it for a template, in which braces and control characters mean something.
      const message = (error as Error).message.replaceAll(/[{}\p{Cc}]/gu, '');
      return helpers.message({ custom: `{#label} ${message}` });
    }
  };
}
