import { ENVIRONMENT, VARIABLE_NAMES, type VariableName } from './environment.js';
import { findNearMiss } from './near-miss.js';
import type { ValueOf, Variable } from './variable.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Field of the config to the variable that fills it. */
export type Picks = Readonly<Record<string, VariableName>>;

export type Config<P extends Picks> = {
  readonly [Field in keyof P]: ValueOf<(typeof ENVIRONMENT)[P[Field]]>;
};

/** Everything that is wrong with an environment, at once. Holds no value of a secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const count = problems.length === 1 ? 'one place' : `${problems.length} places`;
    super(
      `The configuration is wrong in ${count}:\n${problems.map((problem) => `  - ${problem}`).join('\n')}\n` +
        'Correct the environment (or .env) and start again; .env.example lists every variable.',
    );
    this.problems = problems;
  }
}

/**
 * Reads the picked variables, frozen and typed. An empty text counts as absent. All variables of Greenroom that are
 * set are checked, picked or not; required are the picked ones.
 *
 * @param check further problems, from values that do not go together; asked only when each for itself is right
 * @throws ConfigError
 */
export function parseConfig<const P extends Picks>(
  env: Environment,
  picks: P,
  check: (config: Config<P>) => readonly string[] = () => [],
): Config<P> {
  const required = new Set(Object.values(picks));
  const values = new Map<VariableName, unknown>();
  const problems: string[] = [];
  for (const name of VARIABLE_NAMES) {
    const result = parseVariable(name, env[name], required.has(name));
    if ('problem' in result) problems.push(result.problem);
    else values.set(name, result.value);
  }
  problems.push(...nearMisses(env), ...traceInProduction(env));
  if (problems.length > 0) throw new ConfigError(problems);
  const config = Object.freeze(
    Object.fromEntries(Object.entries(picks).map(([field, name]) => [field, values.get(name)])),
  ) as Config<P>;
  const mismatches = check(config);
  if (mismatches.length > 0) throw new ConfigError(mismatches);
  return config;
}

function traceInProduction(env: Environment): string[] {
  return env['TRACE_STEPS'] && env['NODE_ENV']?.trim() === 'production'
    ? ['TRACE_STEPS fills Redis without end; it is for tests and refused where NODE_ENV is production']
    : [];
}

/** The values of all secrets that are set, for the logger to keep out. */
export function secretsOf(env: Environment): readonly string[] {
  return VARIABLE_NAMES.filter((name) => ENVIRONMENT[name].secret).flatMap((name) => {
    const value = env[name]?.trim();
    if (!value) return [];
    if (name === 'REDIS_URL') return passwordOf(value);
    return name === 'CLIENT_API_KEYS' ? value.split(',').map((key) => key.trim()) : [value];
  });
}

type Parsed = { value: unknown } | { problem: string };

function parseVariable(name: VariableName, raw: string | undefined, required: boolean): Parsed {
  const variable: Variable<unknown> = ENVIRONMENT[name];
  const text = raw?.trim() || variable.defaultText;
  if (text === undefined) {
    return required && !variable.optional
      ? { problem: `${name} is missing: ${variable.about}` }
      : { value: undefined };
  }
  const { error, value } = variable.schema.validate(text);
  if (!error) return { value };
  const given = variable.secret ? '' : `, not ${JSON.stringify(text.slice(0, 100))}`;
  return { problem: `${name} must be ${variable.expects}${given}` };
}

function nearMisses(env: Environment): string[] {
  return Object.keys(env).flatMap((name) => {
    const meant = env[name] === undefined ? undefined : findNearMiss(name, VARIABLE_NAMES);
    return meant ? [`${name} is not a variable of Greenroom; did you mean ${meant}?`] : [];
  });
}

function passwordOf(redisUrl: string): string[] {
  const encoded = /\/\/[^:@/]*:([^@/]+)@/.exec(redisUrl)?.[1];
  if (!encoded) return [];
  return [encoded, safeDecode(encoded)];
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
