import type { SchedulePolicy } from '@greenroom/contracts';
import { decodePolicy, decodePools, encodePolicy } from './policy-codec.js';
import { asList, type ScriptRunner, unexpected } from './script-runner.js';
import type { PolicySetting, PoolCounts } from './pool-types.js';

/** What a step did to bring a pool to its target, and what is to be done about it later. */
export interface RefillPlan {
  /** Warm agents that were listed for launch. */
  created: string[];
  /** Refills wait this long, after agents that could not start. */
  heldOffMs: number;
  /** When the target changes by itself, or an agent gets too old. */
  nextLookMs: number | undefined;
  /** What this schedule says is to be worked out anew. */
  scheduleDue: SchedulePolicy | undefined;
}

type PolicyResult = { status: 'ok'; target: number; previous: number } | { status: 'unknown_profile' };

/** Warm agents of each profile. */
export class PoolStore {
  readonly #scripts: ScriptRunner;

  constructor(scripts: ScriptRunner) {
    this.#scripts = scripts;
  }

  async read(): Promise<PoolCounts[]> {
    const answer = await this.#scripts.run('read-health');
    return decodePools(answer.pools);
  }

  /**
   * Ends what the pool has beyond its target and lists as many warm agents for launch as it lacks, at most one for each
   * candidate id. Refills that run at the same time never overshoot.
   */
  async planRefill(args: {
    profile: string;
    ids: string[];
    rooms: string[];
    warmMaxAgeMs: number;
    sessionTimeoutMs: number;
  }): Promise<RefillPlan> {
    const answer = await this.#scripts.run('plan-refill', args);
    const { nextLookMs, scheduleDue } = answer;
    return {
      created: asList<string>(answer.created),
      heldOffMs: Number(answer.heldOffMs),
      nextLookMs: typeof nextLookMs === 'number' ? nextLookMs : undefined,
      scheduleDue:
        typeof scheduleDue === 'string' ? (decodePolicy(scheduleDue) as SchedulePolicy) : undefined,
    };
  }

  /** Puts a policy in force, for the whole deployment. Shrinking ends idle warm agents only. */
  async setPolicy(profile: string, setting: PolicySetting): Promise<PolicyResult> {
    const answer = await this.#scripts.run('set-pool-policy', { profile, setting: encodePolicy(setting) });
    switch (answer.status) {
      case 'ok':
        return { status: 'ok', target: Number(answer.target), previous: Number(answer.previous) };
      case 'unknown_profile':
        return { status: 'unknown_profile' };
      default:
        throw unexpected('set-pool-policy', answer);
    }
  }

  /** A resize is a policy of a fixed size. */
  resize(profile: string, size: number): Promise<PolicyResult> {
    return this.setPolicy(profile, { policy: { kind: 'fixed', size } });
  }

  /** Says what a schedule says now. Does nothing where another policy is in force, or somebody has looked further ahead. */
  async setScheduledSize(profile: string, setting: PolicySetting): Promise<void> {
    const { json, scheduled } = encodePolicy(setting);
    await this.#scripts.run('set-scheduled-size', { profile, json, scheduled });
  }
}
