import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { DeadAirSettings, PoolPolicy } from '@greenroom/contracts';
import type { SpawnerConfig } from '../config.js';
import type { ReadinessPatterns } from '../logs/index.js';
import type { AgentLimits } from '../process/index.js';

/** Which sign of readiness a profile demands; `any` takes the first that shows. */
export type ReadinessRule = 'any' | 'pattern' | 'event' | 'room';

/** A kind of agent: how it is started, how it shows that it is ready, and what rules hold for it. */
export interface Profile {
  name: string;
  description: string | undefined;
  command: string;
  args: readonly string[];
  cwd: string;
  /** What it gets besides the agent contract's own variables. */
  variables: Readonly<Record<string, string>>;
  voices: readonly { id: string; name: string }[];
  ready: ReadinessRule;
  readyPatterns: ReadinessPatterns;
  startupTimeoutMs: number;
  /** Silence on health events after which it counts as hanging; 0 for an agent that does not promise any. */
  healthTimeoutMs: number;
  /** How often an agent that crashed during a call is started again within the period. */
  restart: { readonly intensity: number; readonly periodMs: number };
  pool: PoolPolicy;
  /** Age at which a warm agent is replaced. */
  warmMaxAgeMs: number;
  limits: AgentLimits;
  deadAirSettings: DeadAirSettings | undefined;
  /** Who tells whether somebody speaks: the agent; LiveKit too, always; or LiveKit too while the agent reports nothing. */
  events: 'auto' | 'agent' | 'room';
}

/** Starts that name no profile get this one. */
export const DEFAULT_PROFILE = 'default';

const MIB = 1024 * 1024;
const REFERENCE_AGENT = fileURLToPath(new URL('../../../agent/', import.meta.url));

/** What the environment says of every profile that does not say otherwise. */
export function rulesOf(config: SpawnerConfig) {
  return {
    startupTimeoutMs: config.startupTimeoutMs,
    restart: { intensity: config.restartIntensity, periodMs: config.restartPeriodMs },
    warmMaxAgeMs: config.warmMaxAgeMs,
    limits: limitsOf({ memoryMb: config.agentMemoryLimitMb, processes: config.agentProcessLimit }),
    deadAirSettings: undefined,
    events: 'auto',
  } as const;
}

/** 0 is no limit. */
export function limitsOf({ memoryMb, processes }: { memoryMb: number; processes: number }): AgentLimits {
  return {
    memoryBytes: memoryMb > 0 ? memoryMb * MIB : undefined,
    processes: processes > 0 ? processes : undefined,
  };
}

/** The reference agent says itself what it is; services do not import each other. */
export function referenceAgent(): Pick<
  Profile,
  'description' | 'voices' | 'ready' | 'healthTimeoutMs' | 'command' | 'args' | 'cwd'
> {
  const { healthTimeout, ...about } = JSON.parse(
    readFileSync(path.join(REFERENCE_AGENT, 'profile.json'), 'utf8'),
  ) as {
    description: string;
    ready: ReadinessRule;
    /** Seconds. */
    healthTimeout: number;
    voices: { id: string; name: string }[];
  };
  return {
    ...about,
    healthTimeoutMs: healthTimeout * 1000,
    command: process.execPath,
    args: [path.join(REFERENCE_AGENT, 'dist/main.js')],
    cwd: REFERENCE_AGENT,
  };
}
