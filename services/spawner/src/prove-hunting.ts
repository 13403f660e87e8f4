import { setTimeout as sleep } from 'node:timers/promises';
import { probeHunting } from './process/index.js';
import type { SpawnerContext } from './spawner-context.js';
import { newLaunchId } from './state-dir.js';

/** Of HEALTH_CHECK_INTERVAL: twice as often as agents are looked at, it is looked whether there may be any. */
const RETRY_SHARE = 0.5;

/**
 * Resolves when it is proven that this host finds and kills whatever an agent may leave behind: before that no agent is
 * started. Tries again for as long as it fails, since a remount of /proc mends it without a restart.
 *
 * @param onFailure told why, each time
 * @throws AbortError
 */
export async function proveHunting(
  { config, state, logger }: SpawnerContext,
  stopping: AbortSignal,
  onFailure: (reason: string) => void,
): Promise<void> {
  for (;;) {
    stopping.throwIfAborted();
    const launchId = newLaunchId(state);
    const logFile = state.probeFile;
    const reason = await probeHunting({ launchId, logFile, env: config.agentVariables });
    if (reason === undefined) return;
    logger.error('no agent is started here: nothing would be sure to end it', { reason });
    onFailure(reason);
    await sleep(config.healthCheckIntervalMs * RETRY_SHARE, undefined, { signal: stopping });
  }
}
