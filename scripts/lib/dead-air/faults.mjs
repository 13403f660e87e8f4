import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 1_500;

/**
 * Kills one instance after the other, each back before the next goes, until `stop()`: every api and the spawner, always in the
 * middle of somebody's silence.
 */
export function beginKills(stage, say) {
  const leaving = new AbortController();
  const killed = [];
  const run = async () => {
    for (let turn = 0; !leaving.signal.aborted; turn += 1) {
      await sleep(PAUSE_MS, undefined, { signal: leaving.signal });
      const { instances } = stage.deployment;
      const instance = instances[turn % instances.length];
      say(`${instance.name} is killed`);
      killed.push(instance.name);
      await stage.killAndRestart(instance);
    }
  };
  const running = run().catch((error) => {
    if (!leaving.signal.aborted) throw error;
  });
  return {
    /** @returns who was killed */
    async stop() {
      leaving.abort();
      await running;
      return killed;
    },
  };
}
