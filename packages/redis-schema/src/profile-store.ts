import type { DeadAirSettings } from '@greenroom/contracts';
import type { PolicySetting } from './pool-types.js';
import { asList, type ScriptRunner } from './script-runner.js';

/** A kind of agent, published by the spawners for the api. */
export interface PublishedProfile {
  name: string;
  description?: string | undefined;
  voices: { id: string; name: string }[];
  deadAirSettings?: DeadAirSettings | undefined;
}

/** What a host says of a profile when it registers. */
export interface OfferedProfile extends PublishedProfile {
  /** The configured policy of its pool. */
  pool?: PolicySetting | undefined;
  /** In place of `pool`: a fixed size; default 0. */
  poolTarget?: number;
  /** Names what an agent of it is started with: warm agents of another version are replaced. */
  version?: string | undefined;
}

/** Kinds of agent, as the spawners publish them. */
export class ProfileStore {
  readonly #scripts: ScriptRunner;

  constructor(scripts: ScriptRunner) {
    this.#scripts = scripts;
  }

  /** Those that a host runs, by name. */
  async list(): Promise<PublishedProfile[]> {
    const answer = await this.#scripts.run('list-profiles');
    return asList<string>(answer.profiles)
      .map((json) => JSON.parse(json) as PublishedProfile)
      .sort((a, b) => a.name.localeCompare(b.name));
  }
}
