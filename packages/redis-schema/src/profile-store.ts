import type { HashReader } from './hash-reader.js';
import type { PublishedProfile } from './types.js';

/** Kinds of agent, as the spawners publish them. */
export class ProfileStore {
  readonly #hashes: HashReader;

  constructor(hashes: HashReader) {
    this.#hashes = hashes;
  }

  async list(): Promise<PublishedProfile[]> {
    const profiles = (await this.#hashes.read('profiles')) ?? {};
    return Object.values(profiles)
      .map((json) => JSON.parse(json) as PublishedProfile)
      .sort((a, b) => a.name.localeCompare(b.name));
  }
}
