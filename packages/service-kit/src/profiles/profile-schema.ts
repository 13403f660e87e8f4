import type { DeadAirSettings, PoolPolicy } from '@greenroom/contracts';
import Joi from 'joi';
import { poolPolicySchema } from '../pool/pool-policy-schema.js';
import { DEAD_AIR_FIELDS, deadAirSettingsSchema } from './dead-air-schema.js';
import { expecting, secondsAsMs, text, wholeNumber, withoutNul } from './expecting.js';

/** What a profiles file says of one kind of agent. What it leaves out is the environment's to say. */
export interface ProfileSettings {
  description?: string;
  /** The agent that comes with Greenroom. Either this or `command`. */
  agent?: 'reference';
  /** A line that is split as a shell would, or its words. */
  command?: string | string[];
  /** Relative to the file. */
  cwd?: string;
  /** Names of variables that the agent gets from the spawner's environment. */
  env: string[];
  /** Variables with their values. */
  variables: Record<string, string>;
  voices?: { id: string; name: string }[];
  ready?: 'any' | 'pattern' | 'event' | 'room';
  /** Instead of the well-known ones, for a warm agent and for one with a caller. */
  readyPatterns: { warm?: string[]; caller?: string[] };
  startupTimeoutMs?: number;
  healthTimeoutMs?: number;
  limits: { memoryMb?: number; processes?: number };
  restart: { intensity?: number; periodMs?: number };
  pool?: PoolPolicy;
  warmMaxAgeMs?: number;
  deadAirSettings?: DeadAirSettings;
  events?: 'auto' | 'agent' | 'room';
}

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

const variableName = expecting(
  Joi.string().pattern(VARIABLE_NAME),
  'the name of an environment variable, such as OPENAI_API_KEY',
);

const variables = Joi.object()
  .pattern(VARIABLE_NAME, expecting(withoutNul().allow('').max(8192), 'a text (put a number in quotes)'))
  .messages({ 'object.unknown': 'is no name of an environment variable: letters, digits and _ only' });

const voiceId = text(128);
const voice = expecting(
  Joi.alternatives(voiceId, Joi.object({ id: voiceId.required(), name: text(128) })),
  'the id of a voice, or its id and name, as texts of 1 to 128 characters',
).custom((value: string | { id: string; name?: string }) =>
  typeof value === 'string' ? { id: value, name: value } : { id: value.id, name: value.name ?? value.id },
);

const command = expecting(
  Joi.alternatives(
    withoutNul().min(1).max(8192),
    Joi.array().items(withoutNul().allow('').max(8192)).min(1).max(1000),
  ),
  'a command line such as "node agent.js --fast", or a list of its words',
);

const patterns = Joi.array().items(text(1000)).min(1).max(50);

const pool = Joi.alternatives()
  .conditional(Joi.number(), {
    then: wholeNumber(0, 1000, 'warm agents held ready').custom((size: number) => ({ kind: 'fixed', size })),
    otherwise: poolPolicySchema,
  })
  .messages({
    'object.base': 'must be a number of warm agents, or a policy with its kind (docs/profiles.md)',
  });

const limits = {
  memoryMb: wholeNumber(0, 100_000_000, 'MiB; 0 is no limit'),
  processes: wholeNumber(0, 4_000_000, '0 is no limit'),
};
const restart = { intensity: wholeNumber(0, 1000), period: secondsAsMs(1) };
const readyPatterns = { warm: patterns, caller: patterns };

/** As it stands in the file, apart from durations, which are milliseconds already. */
interface WrittenProfile
  extends Omit<
    ProfileSettings,
    'startupTimeoutMs' | 'healthTimeoutMs' | 'restart' | 'warmMaxAgeMs' | 'deadAirSettings'
  > {
  startupTimeout?: number;
  healthTimeout?: number;
  restart: { intensity?: number; period?: number };
  warmMaxAge?: number;
  dead_air_settings?: DeadAirSettings;
}

const fields: Record<keyof WrittenProfile, Joi.Schema> = {
  description: text(500),
  agent: expecting(Joi.valid('reference'), 'reference (any other agent is given by its command)'),
  command,
  cwd: text(4096),
  env: Joi.array().items(variableName).max(200).default([]),
  variables: variables.default({}),
  voices: Joi.array()
    .items(voice)
    .max(500)
    .unique('id')
    .messages({ 'array.base': 'must be a list', 'array.unique': 'has the same id as another voice' }),
  ready: expecting(Joi.valid('any', 'pattern', 'event', 'room'), 'one of any, pattern, event, room'),
  readyPatterns: Joi.object(readyPatterns).default({}),
  startupTimeout: secondsAsMs(0.1),
  healthTimeout: secondsAsMs(0),
  limits: Joi.object(limits).default({}),
  restart: Joi.object(restart).default({}),
  pool,
  warmMaxAge: secondsAsMs(1),
  dead_air_settings: deadAirSettingsSchema,
  events: expecting(Joi.valid('auto', 'agent', 'room'), 'one of auto, agent, room'),
};

const schema = Joi.object<WrittenProfile>(fields).xor('agent', 'command').messages({
  'object.base': 'must be settings, each on a line of its own',
  'object.missing': 'says no command. Give the command line of the agent, or `agent: reference`',
  'object.xor': 'says both agent and command. Leave one of them out',
});

const POLICY_FIELDS = [
  'kind',
  'size',
  'min',
  'max',
  'safety',
  'windowSeconds',
  'timeZone',
  'base',
  'entries',
];

/** The settings that may stand at a place of a profile, for what is misspelt. */
export function settingsAt(path: readonly (string | number)[]): readonly string[] {
  switch (path[0]) {
    case undefined:
      return Object.keys(fields);
    case 'limits':
      return Object.keys(limits);
    case 'restart':
      return Object.keys(restart);
    case 'readyPatterns':
      return Object.keys(readyPatterns);
    case 'voices':
      return ['id', 'name'];
    case 'pool':
      return path.includes('entries') ? ['cron', 'size', 'forSeconds'] : POLICY_FIELDS;
    case 'dead_air_settings':
      return DEAD_AIR_FIELDS;
    default:
      return [];
  }
}

export interface SchemaProblem {
  readonly path: readonly (string | number)[];
  readonly type: string;
  readonly message: string;
  readonly value: unknown;
}

/** @returns everything that is wrong with it, or what it says */
export function parseProfile(
  written: unknown,
): { settings: ProfileSettings } | { problems: SchemaProblem[] } {
  const { error, value } = schema.required().validate(written, {
    abortEarly: false,
    convert: false,
    errors: { label: false },
  });
  if (error === undefined) return { settings: toSettings(value) };
  return {
    problems: error.details.map(({ path, type, message, context }) => ({
      path,
      type,
      // Without a label, messages of ours that begin with it begin with a pair of quotes.
      message: message.replace(/^"" /, ''),
      value: context?.value as unknown,
    })),
  };
}

function toSettings(written: WrittenProfile): ProfileSettings {
  const { startupTimeout, healthTimeout, restart, warmMaxAge, dead_air_settings, ...same } = written;
  return {
    ...same,
    ...(startupTimeout !== undefined && { startupTimeoutMs: startupTimeout }),
    ...(healthTimeout !== undefined && { healthTimeoutMs: healthTimeout }),
    ...(warmMaxAge !== undefined && { warmMaxAgeMs: warmMaxAge }),
    ...(dead_air_settings !== undefined && { deadAirSettings: dead_air_settings }),
    restart: {
      ...(restart.intensity !== undefined && { intensity: restart.intensity }),
      ...(restart.period !== undefined && { periodMs: restart.period }),
    },
  };
}
