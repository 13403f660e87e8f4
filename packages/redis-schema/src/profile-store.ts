import { asList, type ScriptRunner } from './script-runner.js';
import type { PublishedProfile } from './types.js';

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
