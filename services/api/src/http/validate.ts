import { CodedError } from '@greenroom/contracts';
import Joi from 'joi';

const MAX_PROBLEMS = 10;
const MAX_MESSAGE = 200;

/**
 * Checks a body as it is: a number is no text, and an unknown field is a mistake worth telling.
 * @throws CodedError `invalid_request` that names every wrong field
 */
export function validateBody<T>(schema: Joi.ObjectSchema<T>, body: unknown): T {
  return validate(schema, body, { convert: false });
}

/** Checks a query, whose values are all texts to begin with. */
export function validateQuery<T>(schema: Joi.ObjectSchema<T>, query: unknown): T {
  return validate(schema, query, { convert: true });
}

function validate<T>(schema: Joi.ObjectSchema<T>, input: unknown, options: Joi.ValidationOptions): T {
  const { error, value } = schema.validate(input, { abortEarly: false, allowUnknown: false, ...options });
  if (!error) return value;
  const errors = error.details.slice(0, MAX_PROBLEMS).map(({ path, message }) => ({
    field: path.join('.').slice(0, MAX_MESSAGE),
    message: message.slice(0, MAX_MESSAGE),
  }));
  throw new CodedError('invalid_request', {
    detail: `${errors.map(({ message }) => message).join('. ')}.`,
    extra: { errors },
  });
}

/** Text for people to read: bounded, without control characters or halves of characters. */
export function boundedText(maxLength: number): Joi.StringSchema {
  return Joi.string()
    .max(maxLength)
    .pattern(/^[^\p{Cc}\p{Cs}\u2028\u2029]*$/u)
    .messages({ 'string.pattern.base': '{#label} must not contain control characters' });
}

/** Part of a Redis key: nothing that separates keys or paths, no white space. */
export function keyPart(maxLength: number): Joi.StringSchema {
  return Joi.string()
    .max(maxLength)
    .pattern(/^[^\p{C}\s:/\\]+$/u)
    .messages({
      'string.pattern.base': '{#label} must not contain white space, control characters or any of : / \\',
    });
}

export const profileName = Joi.string()
  .max(64)
  .pattern(/^[A-Za-z0-9_-]+$/)
  .messages({ 'string.pattern.base': '{#label} must consist of letters, digits, _ and -' });

/** The `nextCursor` of a page of a list; nobody else knows what it means. */
export const pageCursor = Joi.string()
  .max(512)
  .pattern(/^[A-Za-z0-9_-]+$/)
  .messages({ 'string.pattern.base': '{#label} is not one that a page of this list gave' });
