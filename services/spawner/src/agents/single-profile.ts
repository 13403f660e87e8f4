import path from 'node:path';
import type { SpawnerConfig } from '../config.js';
import { DEFAULT_READINESS_PATTERNS } from '../logs/index.js';
import { parseCommand } from './command-line.js';
import { DEFAULT_PROFILE, type Profile, referenceAgent, rulesOf } from './profile.js';

/** The one profile that the environment describes: AGENT_COMMAND, or the reference agent without it. */
export function readSingleProfile(config: SpawnerConfig): Profile {
  const common = {
    ...rulesOf(config),
    name: DEFAULT_PROFILE,
    variables: config.agentVariables,
    readyPatterns: DEFAULT_READINESS_PATTERNS,
    pool: { kind: 'fixed', size: config.poolTarget },
  } as const;
  if (config.agentCommand === undefined) {
    // It tells what it says and hears. Of another agent nobody knows whether its silence means anything.
    return { ...common, ...referenceAgent(), deadAirSettings: {} };
  }
  return {
    ...common,
    ...parseCommand(config.agentCommand),
    description: undefined,
    cwd: path.resolve(config.agentCwd ?? '.'),
    voices: [],
    ready: 'any',
    healthTimeoutMs: config.agentHealthTimeoutMs,
  };
}
