import { ConfigError, type Environment } from '@greenroom/service-kit';
import type { Profile } from './agents/profile.js';
import { type ProfileMaker, readProfilesFile } from './agents/profiles-file.js';
import { readSingleProfile } from './agents/single-profile.js';
import { readConfig, type SpawnerConfig } from './config.js';

export interface SpawnerSettings {
  readonly config: SpawnerConfig;
  /** By name, at least one. */
  readonly profiles: ReadonlyMap<string, Profile>;
}

/**
 * The environment and the profiles file together: one start shows all that is wrong in both.
 * @throws ConfigError
 */
export function readSettings(env: Environment): SpawnerSettings {
  const problems: string[] = [];
  const config = collect(problems, () => readConfig(env));
  const file = env['PROFILES_FILE']?.trim();
  let make: ProfileMaker = readSingle;
  if (file) {
    const read = readProfilesFile(file, env);
    if ('make' in read) make = read.make;
    else problems.push(...read.problems);
  }
  if (config === undefined || problems.length > 0) throw new ConfigError(problems);
  return { config, profiles: make(config) };
}

const readSingle: ProfileMaker = (config) => {
  try {
    const profile = readSingleProfile(config);
    return new Map([[profile.name, profile]]);
  } catch (error) {
    throw new ConfigError([`AGENT_COMMAND ${(error as Error).message}`]);
  }
};

function collect<T>(problems: string[], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(...error.problems);
    return undefined;
  }
}
