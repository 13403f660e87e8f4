import Joi from 'joi';

/** Node's timers overflow beyond 2^31 - 1 ms: no duration may be longer. */
const MAX_SECONDS = 2_147_483;

/** The schema with one sentence for whatever is wrong; it completes "PATH must be …". */
export function expecting<S extends Joi.Schema>(schema: S, expects: string): S {
  return schema.messages({
    '*': `{{#label}} must be ${expects}`,
    'any.required': '{{#label}} is missing',
  }) as S;
}

/** What can be given to a process: its words and variables end at a NUL. */
export function withoutNul(): Joi.StringSchema {
  return Joi.string().pattern(/^[^\0]*$/);
}

export function text(maxLength: number): Joi.StringSchema {
  return expecting(withoutNul().min(1).max(maxLength), `a text of 1 to ${maxLength} characters`);
}

export function wholeNumber(min: number, max: number, what = ''): Joi.NumberSchema {
  return expecting(
    Joi.number().integer().min(min).max(max),
    `a whole number from ${min} to ${max}${what && ` (${what})`}`,
  );
}

/** Stays a number of seconds. */
export function seconds(min: number): Joi.NumberSchema {
  return expecting(
    Joi.number().min(min).max(MAX_SECONDS),
    `a number of seconds from ${min} to ${MAX_SECONDS}, such as 30`,
  );
}

/** Seconds in the file, milliseconds inside. */
export function secondsAsMs(min: number): Joi.NumberSchema {
  return seconds(min).custom((value: number) => Math.round(value * 1000));
}
