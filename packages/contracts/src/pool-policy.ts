/**
 * How many warm agents a pool should hold. The answer is the pool's target, one number for the whole deployment, worked
 * out anew in every step that a pool takes part in.
 */
export type PoolPolicy = FixedPolicy | BufferPolicy | RatePolicy | SchedulePolicy;

export type PoolPolicyKind = PoolPolicy['kind'];

/** A share, in writing: `"20%"`, `"12.5%"`. */
export type Percentage = `${number}%`;

/** Always the same number: what POOL_TARGET and a resize say. */
export interface FixedPolicy {
  kind: 'fixed';
  size: number;
}

/** Room for as many more callers, or for a share of those who are there: `"20%"` of 10 live calls are 2 warm agents. */
export interface BufferPolicy {
  kind: 'buffer';
  /** Warm agents, or per cent of the profile's live calls, rounded up. */
  size: number | Percentage;
  min: number;
  max: number;
}

/**
 * As many as callers are expected to take while one warm agent is replaced, and a safety margin:
 * `expected = arrivals per second x seconds to replace one`, `target = expected + safety x sqrt(expected)`, rounded up.
 */
export interface RatePolicy {
  kind: 'rate';
  /**
   * The margin, in standard deviations of arrivals that come independently of each other; 0 is none. 2 covers 98 of 100
   * moments, 3 all but one in 700.
   */
  safety: number;
  min: number;
  max: number;
  /**
   * How far back arrivals count, older ones ever less. A rise is also measured over a tenth of it, and the larger rate is
   * taken: the pool grows quickly and shrinks slowly.
   */
  windowSeconds: number;
}

/** By the clock: each entry holds from the moment its cron expression fires until another one fires. */
export interface SchedulePolicy {
  kind: 'schedule';
  /** IANA name, `Europe/Vienna`; what the expressions are read in, daylight saving included. */
  timeZone: string;
  /** While no entry is in force. */
  base: number;
  entries: ScheduleEntry[];
}

export interface ScheduleEntry {
  /** Five fields, minute first, or six with seconds before them. */
  cron: string;
  size: number;
  /** Back to `base` after this long; without it the entry holds until another one fires. */
  forSeconds?: number;
}
