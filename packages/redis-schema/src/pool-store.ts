import { asList, type ScriptRunner, unexpected } from './script-runner.js';
import type { PoolCounts } from './types.js';

/** Warm agents of each profile. */
export class PoolStore {
  readonly #scripts: ScriptRunner;

  constructor(scripts: ScriptRunner) {
    this.#scripts = scripts;
  }

  async read(): Promise<PoolCounts[]> {
    const answer = await this.#scripts.run('read-health');
    return asList<PoolCounts>(answer.pools).sort((a, b) => a.profile.localeCompare(b.profile));
  }

  /**
   * Lists as many warm agents for launch as the pool lacks, at most one for each candidate id.
   * Refills that run at the same time never overshoot.
   */
  async planRefill(args: {
    profile: string;
    ids: string[];
    rooms: string[];
    warmMaxAgeMs: number;
    sessionTimeoutMs: number;
  }): Promise<{ created: string[]; heldOffMs: number }> {
    const answer = await this.#scripts.run('plan-refill', args);
    return { created: asList<string>(answer.created), heldOffMs: Number(answer.heldOffMs) };
  }

  /** Sets the wanted size for the whole deployment. Shrinking ends idle warm agents only. */
  async resize(
    profile: string,
    size: number,
  ): Promise<{ status: 'ok'; target: number; previous: number } | { status: 'unknown_profile' }> {
    const answer = await this.#scripts.run('resize-pool', { profile, size });
    switch (answer.status) {
      case 'ok':
        return { status: 'ok', target: Number(answer.target), previous: Number(answer.previous) };
      case 'unknown_profile':
        return { status: 'unknown_profile' };
      default:
        throw unexpected('resize-pool', answer);
    }
  }
}
