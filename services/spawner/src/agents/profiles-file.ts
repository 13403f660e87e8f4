import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import {
  type Environment,
  type ProfileSettings,
  type ProfilesFile,
  parseProfilesFile,
} from '@greenroom/service-kit';
import type { SpawnerConfig } from '../config.js';
import { DEFAULT_READINESS_PATTERNS, parseReadinessPattern, type ReadinessPatterns } from '../logs/index.js';
import { CONTRACT_VARIABLES } from './agent-environment.js';
import { parseCommand } from './command-line.js';
import { DEFAULT_PROFILE, limitsOf, type Profile, referenceAgent, rulesOf } from './profile.js';

/** Makes the profiles, once it is known what the environment says of those that leave something to it. */
export type ProfileMaker = (config: SpawnerConfig) => ReadonlyMap<string, Profile>;

/**
 * Reads PROFILES_FILE and looks at all that it names: commands, directories, variables, expressions.
 * @returns every problem there is, or what makes the profiles
 */
export function readProfilesFile(
  file: string,
  env: Environment,
): { problems: string[] } | { make: ProfileMaker } {
  let source: string;
  try {
    source = readFileSync(file, 'utf8');
  } catch (error) {
    return { problems: [`PROFILES_FILE cannot be read: ${(error as Error).message}`] };
  }
  const parsed = parseProfilesFile(source, file);
  const problems = [...parsed.problems];
  const folder = path.dirname(path.resolve(file));
  const makers = [...parsed.profiles].map(([name, settings]) => {
    const reader = new ProfileReader({ name, settings, folder, env, file: parsed });
    problems.push(...reader.problems);
    return reader;
  });
  if (problems.length > 0) return { problems };
  return { make: (config) => new Map(makers.map((it) => [it.name, it.make(config)])) };
}

interface Place {
  readonly name: string;
  readonly settings: ProfileSettings;
  /** What relative paths start from. */
  readonly folder: string;
  readonly env: Environment;
  readonly file: ProfilesFile;
}

/** One profile of the file. */
class ProfileReader {
  readonly problems: string[] = [];
  readonly name: string;
  readonly #settings: ProfileSettings;
  readonly #variables: Readonly<Record<string, string>>;
  readonly #readyPatterns: ReadinessPatterns;
  readonly #agent: Pick<Profile, 'command' | 'args' | 'cwd'>;
  readonly #place: Place;

  constructor(place: Place) {
    this.name = place.name;
    this.#place = place;
    this.#settings = place.settings;
    this.#variables = this.#readVariables();
    this.#readyPatterns = {
      prewarm: this.#readPatterns('warm') ?? DEFAULT_READINESS_PATTERNS.prewarm,
      user: this.#readPatterns('caller') ?? DEFAULT_READINESS_PATTERNS.user,
    };
    this.#agent = this.#readAgent();
  }

  make(config: SpawnerConfig): Profile {
    const rules = rulesOf(config);
    const { agent, description, voices, ready, limits, restart, pool, ...own } = this.#settings;
    const about = agent === 'reference' ? referenceAgent() : undefined;
    return {
      name: this.name,
      ...this.#agent,
      description: description ?? about?.description,
      variables: { ...config.agentVariables, ...this.#variables },
      voices: voices ?? about?.voices ?? [],
      ready: ready ?? about?.ready ?? 'any',
      readyPatterns: this.#readyPatterns,
      startupTimeoutMs: own.startupTimeoutMs ?? rules.startupTimeoutMs,
      healthTimeoutMs: own.healthTimeoutMs ?? about?.healthTimeoutMs ?? 0,
      restart: { ...rules.restart, ...restart },
      // Warm agents cost memory: of other kinds than the default one there are none unless they are asked for.
      pool: pool ?? { kind: 'fixed', size: this.name === DEFAULT_PROFILE ? config.poolTarget : 0 },
      warmMaxAgeMs: own.warmMaxAgeMs ?? rules.warmMaxAgeMs,
      limits: limitsOf({
        memoryMb: limits.memoryMb ?? config.agentMemoryLimitMb,
        processes: limits.processes ?? config.agentProcessLimit,
      }),
      deadAirSettings: own.deadAirSettings,
      events: own.events ?? rules.events,
    };
  }

  #report(at: readonly (string | number)[], message: string): void {
    this.problems.push(this.#place.file.problemAt(['profiles', this.name, ...at], message));
  }

  #readAgent(): Pick<Profile, 'command' | 'args' | 'cwd'> {
    const { agent, command, cwd } = this.#settings;
    if (agent === 'reference')
      return { ...referenceAgent(), ...(cwd !== undefined && { cwd: this.#readFolder(cwd) }) };
    const words = { command: '', args: [] as string[] };
    try {
      Object.assign(words, parseCommand(command ?? ''));
    } catch (error) {
      this.#report(['command'], (error as Error).message);
    }
    return { ...words, cwd: this.#readFolder(cwd ?? '.') };
  }

  #readFolder(written: string): string {
    const folder = path.resolve(this.#place.folder, written);
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
      this.#report(['cwd'], `names ${folder}, which is no directory. Paths start from where the file lies.`);
    }
    return folder;
  }

  #readVariables(): Record<string, string> {
    const { env: names, variables } = this.#settings;
    const taken: Record<string, string> = {};
    names.forEach((name, index) => {
      const value = this.#place.env[name];
      if (value === undefined) {
        this.#report(
          ['env', index],
          `names ${name}, which is not set. Set it for the spawner, or leave it out here.`,
        );
      } else taken[name] = value;
    });
    for (const name of Object.keys(variables)) {
      if (!CONTRACT_VARIABLES.has(name)) continue;
      this.#report(['variables', name], 'is given to every agent by Greenroom itself. Leave it out.');
    }
    return { ...taken, ...variables };
  }

  #readPatterns(mode: 'warm' | 'caller'): (string | RegExp)[] | undefined {
    return this.#settings.readyPatterns[mode]?.map((written, index) => {
      try {
        return parseReadinessPattern(written);
      } catch (error) {
        this.#report(
          ['readyPatterns', mode, index],
          `is a broken expression: ${(error as Error).message}. Without slashes around it, it would be a plain text.`,
        );
        return written;
      }
    });
  }
}
