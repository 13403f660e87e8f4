import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  baseEnvironment,
  freePort,
  makeTempDir,
  processesWithEnvironment,
  startLiveKit,
  startRedis,
} from '../../../packages/test-kit/dist/index.js';
import { Instance } from './instance.mjs';
import { canIsolate, makeNetwork, openNetwork } from './network.mjs';

const AGENT = fileURLToPath(new URL('../../../tests/fixtures/agents/joins-by-voice.sh', import.meta.url));

/**
 * Small enough that the line, full hosts and lost hosts all happen within minutes, and large enough that 1,000 callers
 * have their calls in five of them.
 */
export const LIMITS = { maxSessions: 48, hostCapacity: 22 };

const SETTINGS = {
  HOST: '127.0.0.1',
  MAX_SESSIONS: String(LIMITS.maxSessions),
  HOST_CAPACITY: String(LIMITS.hostCapacity),
  QUEUE_MAX: '20',
  POOL_TARGET: '4',
  RATE_LIMIT_PER_MINUTE: '0',
  HOST_LOST_AFTER: '20',
  // Callers here are HTTP clients: none of them joins a room.
  JOIN_GRACE: '3600',
  BOT_STARTUP_TIMEOUT: '20',
  TERMINATION_GRACE: '1',
  STALE_SWEEP_INTERVAL: '10',
  HEALTH_CHECK_INTERVAL: '5',
  DRAIN_TIMEOUT: '5',
  API_DRAIN_DELAY: '0.5',
  TRACE_STEPS: '1',
  AGENT_COMMAND: AGENT,
};

/**
 * A Redis, a LiveKit, spawners with host ids and state directories of their own, and apis: all real, all on loopback.
 * @param cuts whether instances are to be cut off: then each has its own way to the servers
 */
export async function startDeployment({ spawners, apis, random, say, settings = {}, cuts = true }) {
  const undo = [];
  const adminToken = randomBytes(24).toString('hex');
  try {
    const folder = await makeTempDir('chaos');
    undo.push(folder.remove);
    const redis = await startRedis();
    undo.push(() => redis.stop());
    const livekit = await startLiveKit();
    undo.push(() => livekit.stop());
    const env = {
      ...baseEnvironment(),
      ...SETTINGS,
      ...settings,
      LIVEKIT_URL: livekit.url,
      LIVEKIT_API_KEY: livekit.apiKey,
      LIVEKIT_API_SECRET: livekit.apiSecret,
      ADMIN_TOKEN: adminToken,
    };
    const isolates = cuts && (await canIsolate());
    if (cuts && !isolates)
      say('no network namespace can be made here: partitions are made by a proxy in front of Redis');
    const instances = [];
    const add = async (service, number, isolated, envOf) => {
      const network = cuts ? await makeNetwork({ redis, livekit, isolated }) : openNetwork({ redis });
      undo.push(async () => network.close());
      const port = await freePort();
      const instance = new Instance({
        name: `${service}-${number}`,
        service,
        hostId: `host-${number}`,
        network,
        port,
        envOf: () => envOf(port),
      });
      undo.push(() => instance.stop());
      instances.push(instance);
    };
    for (let number = 1; number <= spawners; number += 1) {
      const stateDir = join(folder.path, `state-${number}`);
      mkdirSync(stateDir);
      const modes = random.fork(`mode ${number}`);
      const isolated = isolates && number === spawners;
      await add('spawner', number, isolated, (port) => ({
        ...env,
        ...(isolated && { AGENT_ENV: 'LIGHT_ONLY', LIGHT_ONLY: 'yes' }),
        HOST_ID: `host-${number}`,
        SPAWNER_PORT: String(port),
        STATE_DIR: stateDir,
        SHUTDOWN_MODE: settings.SHUTDOWN_MODE ?? modes.pick(['handover', 'drain']),
      }));
    }
    for (let number = 1; number <= apis; number += 1) {
      await add('api', number, false, (port) => ({ ...env, PORT: String(port) }));
    }
    await Promise.all(instances.map((it) => it.start()));
    await Promise.all(instances.map((it) => it.untilReady(60_000)));
    return new Deployment({ instances, redis, livekit, adminToken, root: folder.path, undo });
  } catch (error) {
    await undoAll(undo);
    throw error;
  }
}

async function undoAll(undo) {
  for (const step of undo.reverse()) await step().catch((error) => console.error(error));
}

class Deployment {
  #undo;

  constructor({ undo, ...parts }) {
    Object.assign(this, parts);
    this.#undo = undo;
  }

  get spawners() {
    return this.instances.filter(({ service }) => service === 'spawner');
  }

  get apis() {
    return this.instances.filter(({ service }) => service === 'api');
  }

  /** Living processes of agents: each carries a path of our own in its environment. */
  agentProcesses() {
    return processesWithEnvironment(this.root).filter(
      ({ pid }) => !this.instances.some((instance) => instance.hasPid(pid)),
    );
  }

  /** Everything is killed, services first, so that they start no more agents. */
  async stop() {
    await Promise.all(this.instances.map((instance) => instance.stop()));
    for (let scan = 0; scan < 100; scan += 1) {
      const left = this.agentProcesses();
      if (left.length === 0) break;
      for (const { pid } of left) kill(pid);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await undoAll(this.#undo);
  }
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was quicker.
  }
}
