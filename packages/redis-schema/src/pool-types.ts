import type { PoolPolicy } from '@greenroom/contracts';
import type { EpochMs } from './types.js';

/** Why starts of a profile fail fast, and until when. */
export interface BreakerState {
  /** `probing`: the time is over and one launch shows whether it goes well again. */
  status: 'open' | 'probing';
  /** Launches that failed since one got ready. */
  failures: number;
  /** What the last one failed of. */
  reason: string;
  openUntil: EpochMs;
}

/** A policy and, for a schedule, what it says now: that is worked out by whoever sets it. */
export interface PolicySetting {
  policy: PoolPolicy;
  scheduled?: { size: number; untilMs: EpochMs | undefined } | undefined;
}

export interface PoolCounts {
  profile: string;
  target: number;
  policy: PoolPolicy;
  /** Live calls of the profile; where the policy looks at them. */
  callers?: number;
  /** As measured now; where the policy looks at them. */
  arrivalsPerMinute?: number;
  /** From listing a warm agent to having it, on average. */
  replaceMs?: number;
  /** Until when the schedule says what it says. */
  scheduledUntil?: EpochMs;
  /** New sessions so far, and those of them that got a warm agent. */
  starts: number;
  warmStarts: number;
  ready: number;
  warming: number;
  /** Absent while all is well. */
  breaker?: BreakerState;
}
