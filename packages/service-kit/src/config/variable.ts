import Joi from 'joi';

/** One environment variable: what its text must look like and what it becomes. */
export interface Variable<T> {
  /** For `.env.example` and for the message when it is missing. */
  readonly about: string;
  /** Completes "NAME must be …". */
  readonly expects: string;
  /** The default, as text in the environment. Without one the variable is required where it is picked. */
  readonly defaultText: string | undefined;
  /** Absent means undefined, instead of an error. */
  readonly optional: boolean;
  /** Its value is never printed. */
  readonly secret: boolean;
  /** From the text to the value. */
  readonly schema: Joi.Schema<T>;
}

export type ValueOf<V> = V extends Variable<infer T> ? T : never;

interface Common {
  about: string;
  default?: string;
  secret?: boolean;
}

/** Node's timers overflow beyond 2^31 - 1 ms: no duration may be longer. */
const MAX_SECONDS = 2_147_483;

function variable<T>(
  options: Common & { expects: string; schema: Joi.Schema; optional?: boolean },
): Variable<T> {
  return {
    about: options.about,
    expects: options.expects,
    defaultText: options.default,
    optional: options.optional ?? false,
    secret: options.secret ?? false,
    schema: options.schema as Joi.Schema<T>,
  };
}

/** The same variable, undefined when it is absent. */
export function optional<T>(of: Variable<T>): Variable<T | undefined> {
  return { ...of, optional: true };
}

export function text(options: Common & { pattern?: RegExp; expects?: string }): Variable<string> {
  const schema = Joi.string().allow('').max(8192);
  return variable({
    expects: 'text of at most 8192 characters',
    ...options,
    schema: options.pattern ? schema.pattern(options.pattern) : schema,
  });
}

export function url(options: Common & { schemes: readonly string[] }): Variable<string> {
  return variable({
    ...options,
    expects: `an address that starts with ${options.schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
    schema: Joi.string().uri({ scheme: [...options.schemes] }),
  });
}

export function integer(options: Common & { min: number; max: number }): Variable<number> {
  return variable({
    ...options,
    expects: `a whole number from ${options.min} to ${options.max}`,
    schema: Joi.string()
      .pattern(/^\d{1,9}$/)
      .custom(toNumberBetween(options.min, options.max)),
  });
}

/** Seconds in the environment, fractions allowed, milliseconds inside. */
export function seconds(options: Common & { min: number }): Variable<number> {
  const toMs = (value: number) => Math.round(value * 1000);
  return variable({
    ...options,
    expects: `a number of seconds from ${options.min} to ${MAX_SECONDS}, such as 30`,
    schema: Joi.string()
      .pattern(/^\d{1,7}(\.\d{1,3})?$/)
      .custom((value: string, helpers) => {
        const parsed = toNumberBetween(options.min, MAX_SECONDS)(value, helpers);
        return typeof parsed === 'number' ? toMs(parsed) : parsed;
      }),
  });
}

export function choice<const T extends string>(options: Common & { of: readonly T[] }): Variable<T> {
  return variable({
    ...options,
    expects: `one of ${options.of.join(', ')}`,
    schema: Joi.string().valid(...options.of),
  });
}

/** Comma separated; empty parts are dropped. */
export function list(options: Common & { item: RegExp; items: string }): Variable<readonly string[]> {
  return variable({
    ...options,
    expects: `a comma-separated list of ${options.items}`,
    // Not Joi.string(): that one refuses an empty text before it asks us.
    schema: Joi.any().custom((value: string, helpers) => {
      const items = splitList(value);
      return items.every((item) => options.item.test(item)) ? items : helpers.error('any.invalid');
    }),
  });
}

/** A text that `parse` understands, or undefined from it when it does not. */
export function parsed<T>(
  options: Common & { expects: string; parse: (value: string) => T | undefined },
): Variable<T> {
  return variable({
    ...options,
    schema: Joi.string().custom(
      (value: string, helpers) => options.parse(value) ?? helpers.error('any.invalid'),
    ),
  });
}

export function splitList(value: string): readonly string[] {
  return Object.freeze(
    value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );
}

function toNumberBetween(min: number, max: number) {
  return (value: string, helpers: Joi.CustomHelpers): number | Joi.ErrorReport => {
    const number = Number(value);
    return number >= min && number <= max ? number : helpers.error('any.invalid');
  };
}
