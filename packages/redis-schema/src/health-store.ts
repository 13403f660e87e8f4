import { asList, type ScriptRunner } from './script-runner.js';
import type { PoolCounts } from './pool-types.js';

export interface HealthCounts {
  /** The data was lost, or may lack its last writes, and the hosts are publishing what they have. */
  recovering: boolean;
  ready: number;
  starting: number;
  pool: number;
  warming: number;
  queued: number;
  /** Callers of any state, those still ending included: what counts against MAX_SESSIONS. */
  callers: number;
  /** Hosts with a fresh heartbeat. */
  hosts: number;
  /** Profiles whose agents fail to start, again and again. */
  failingProfiles: string[];
  totals: {
    totalSpawned: number;
    totalAssigned: number;
    totalReady: number;
    totalEnded: number;
    totalFailed: number;
  };
}

/** Counts, always cardinalities of sets. */
export class HealthStore {
  readonly #scripts: ScriptRunner;

  constructor(scripts: ScriptRunner) {
    this.#scripts = scripts;
  }

  async read(): Promise<HealthCounts> {
    const answer = await this.#scripts.run('read-health');
    const pools = asList<Pick<PoolCounts, 'profile' | 'ready' | 'warming' | 'breaker'>>(answer.pools);
    const totals = answer.totals as Record<string, number>;
    return {
      recovering: answer.recovering === true,
      ready: Number(answer.ready),
      starting: Number(answer.starting),
      pool: sum(pools.map((pool) => pool.ready)),
      warming: sum(pools.map((pool) => pool.warming)),
      queued: Number(answer.queued ?? 0),
      callers: Number(answer.callers),
      hosts: Number(answer.hosts),
      failingProfiles: pools.filter((pool) => pool.breaker !== undefined).map((pool) => pool.profile),
      totals: {
        totalSpawned: totals.total_spawned ?? 0,
        totalAssigned: totals.total_assigned ?? 0,
        totalReady: totals.total_ready ?? 0,
        totalEnded: totals.total_ended ?? 0,
        totalFailed: totals.total_failed ?? 0,
      },
    };
  }
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
