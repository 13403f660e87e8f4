import type { PoolPolicy } from '@greenroom/contracts';
import { asList } from './script-runner.js';
import type { PolicySetting, PoolCounts } from './pool-types.js';

/** As the scripts take it. */
interface EncodedPolicy {
  /** The same text for the same policy, whoever writes it: it is compared. */
  json: string;
  fixedSize?: number;
  scheduled?: PolicySetting['scheduled'];
}

export function encodePolicy({ policy, scheduled }: PolicySetting): EncodedPolicy {
  const json = JSON.stringify(policy, sortKeys);
  if (policy.kind === 'fixed') return { json, fixedSize: policy.size };
  return { json, scheduled };
}

/** What a script hands back was checked when it was set. */
export function decodePolicy(json: unknown): PoolPolicy {
  return JSON.parse(String(json)) as PoolPolicy;
}

/** Pools as a script counts them, by name. */
export function decodePools(pools: unknown): PoolCounts[] {
  return asList<Omit<PoolCounts, 'policy'> & { policy: string }>(pools)
    .map((pool) => ({ ...pool, policy: decodePolicy(pool.policy) }))
    .sort((a, b) => a.profile.localeCompare(b.profile));
}

function sortKeys(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
