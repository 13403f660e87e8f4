import { hostname } from 'node:os';
import path from 'node:path';
import { type Environment, parseConfig, RETENTION_PICKS, secretsOf } from '@greenroom/service-kit';

/** Everything that the spawner takes from its environment. A pure function of it; called once, in main.ts. */
export function readConfig(env: Environment) {
  const config = parseConfig(
    env,
    {
      redisUrl: 'REDIS_URL',
      redisKeyPrefix: 'REDIS_KEY_PREFIX',
      livekitUrl: 'LIVEKIT_URL',
      livekitApiKey: 'LIVEKIT_API_KEY',
      livekitApiSecret: 'LIVEKIT_API_SECRET',
      host: 'HOST',
      port: 'SPAWNER_PORT',
      poolTarget: 'POOL_TARGET',
      poolRefillIntervalMs: 'POOL_REFILL_INTERVAL',
      warmMaxAgeMs: 'WARM_MAX_AGE',
      spawnConcurrency: 'SPAWN_CONCURRENCY',
      spawnAttempts: 'SPAWN_ATTEMPTS',
      restartIntensity: 'RESTART_INTENSITY',
      restartPeriodMs: 'RESTART_PERIOD',
      hungAfterMs: 'AGENT_HUNG_AFTER',
      agentHealthTimeoutMs: 'AGENT_HEALTH_TIMEOUT',
      startupTimeoutMs: 'BOT_STARTUP_TIMEOUT',
      sessionTimeoutMs: 'SESSION_TIMEOUT',
      terminationGraceMs: 'TERMINATION_GRACE',
      joinGraceMs: 'JOIN_GRACE',
      leaveGraceMs: 'LEAVE_GRACE',
      healthCheckIntervalMs: 'HEALTH_CHECK_INTERVAL',
      staleSweepIntervalMs: 'STALE_SWEEP_INTERVAL',
      hostId: 'HOST_ID',
      hostCapacity: 'HOST_CAPACITY',
      placement: 'PLACEMENT',
      memoryLowWaterMb: 'MEMORY_LOW_WATER_MB',
      hostLostAfterMs: 'HOST_LOST_AFTER',
      shutdownMode: 'SHUTDOWN_MODE',
      drainTimeoutMs: 'DRAIN_TIMEOUT',
      stateDir: 'STATE_DIR',
      agentCommand: 'AGENT_COMMAND',
      agentCwd: 'AGENT_CWD',
      agentEnv: 'AGENT_ENV',
      agentMemoryLimitMb: 'AGENT_MEMORY_LIMIT_MB',
      agentProcessLimit: 'AGENT_PROCESS_LIMIT',
      diskLowWaterMb: 'DISK_LOW_WATER_MB',
      ...RETENTION_PICKS,
      logLevel: 'LOG_LEVEL',
      faultAt: 'FAULT_AT',
      traceSteps: 'TRACE_STEPS',
    },
    (it) => [
      ...it.agentEnv
        .filter((name) => env[name] === undefined)
        .map((name) => `AGENT_ENV names ${name}, which is not set`),
      ...explainTwoKinds(env),
      ...(it.faultAt !== undefined && env['NODE_ENV']?.trim() === 'production'
        ? ['FAULT_AT kills the spawner on purpose; it is for tests and refused where NODE_ENV is production']
        : []),
    ],
  );
  return {
    ...config,
    stateDir: path.resolve(config.stateDir),
    /** Suggested where HOST_ID is empty and STATE_DIR knows none yet. */
    machineName: hostname(),
    /** What every agent gets of our environment, and what AGENT_ENV lists. Nothing else is passed on. */
    agentVariables: pick(env, ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR', ...config.agentEnv]),
    secrets: secretsOf(env),
  };
}

export type SpawnerConfig = ReturnType<typeof readConfig>;

function pick(env: Environment, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** What describes the one agent of a deployment has no meaning where a file describes several. */
function explainTwoKinds(env: Environment): string[] {
  if (!env['PROFILES_FILE']?.trim()) return [];
  const instead = {
    AGENT_COMMAND: 'command of a profile named default',
    AGENT_CWD: 'cwd of a profile',
    AGENT_HEALTH_TIMEOUT: 'healthTimeout of a profile',
  };
  return Object.entries(instead)
    .filter(([name]) => env[name]?.trim())
    .map(
      ([name, place]) =>
        `${name} and PROFILES_FILE are both set: write it into the file, as ${place}, and unset ${name}`,
    );
}
