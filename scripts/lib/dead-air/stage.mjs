import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { redisCommand, startTelnyx, waitFor } from '../../../packages/test-kit/dist/index.js';
import { startDeployment } from '../chaos/deployment.mjs';
import { randomOf } from '../chaos/random.mjs';

/** Their voice is what the stand-in says that it plays: nobody has to listen in their rooms. */
const AGENTS = fileURLToPath(new URL('../../../tests/fixtures/profiles/phone-agents.yaml', import.meta.url));

/** Webhooks overtake each other within this. */
const MAX_DELAY_MS = 150;
/** What `Are you still there?` takes to be spoken. */
export const SPEAK_MS = 1_000;
const STOPPED_MS = 1_000;
const READY_MS = 60_000;

const SETTINGS = {
  AGENT_COMMAND: '',
  PROFILES_FILE: AGENTS,
  POOL_TARGET: '0',
  MAX_SESSIONS: '400',
  HOST_CAPACITY: '400',
  SPAWN_CONCURRENCY: '8',
  // The callers are on the phone: nobody joins a room, and nobody has to look there.
  HEALTH_CHECK_INTERVAL: '60',
  STALE_SWEEP_INTERVAL: '300',
  SHUTDOWN_MODE: 'handover',
  TRACE_STEPS: '',
  TELNYX_LINK: 'sip',
  TELNYX_SIP_URI: 'sip:{sessionId}@rooms.test',
};

/** Apis, a spawner with light agents, a Redis and a LiveKit, all real, and a stand-in for Telnyx in front of the apis. */
export async function openStage({ apis, seed, say, doubled = 0.2, settings = {} }) {
  const telnyx = await startTelnyx({ seed, maxDelayMs: MAX_DELAY_MS, doubled, speakMs: () => SPEAK_MS });
  try {
    const deployment = await startDeployment({
      spawners: 1,
      apis,
      random: randomOf(seed),
      say,
      cuts: false,
      settings: { ...SETTINGS, ...telnyx.env, ...settings },
    });
    await Promise.all(deployment.apis.map(untilReady));
    telnyx.deliverTo(deployment.apis.map(({ url }) => url));
    return new Stage(telnyx, deployment);
  } catch (error) {
    await telnyx.stop();
    throw error;
  }
}

class Stage {
  #asked = 0;

  constructor(telnyx, deployment) {
    Object.assign(this, { telnyx, deployment });
  }

  get apis() {
    return this.deployment.apis;
  }

  /** As an admin, at one api after the other, those that are down passed over. @throws unless it is answered with 2xx or as expected */
  async ask(method, path, body, expected = []) {
    for (let attempt = 1; ; attempt += 1) {
      const api = this.apis[this.#asked++ % this.apis.length];
      try {
        return await askOne(new URL(path, api.url), {
          method,
          body,
          expected,
          adminToken: this.deployment.adminToken,
        });
      } catch (error) {
        if (error instanceof Refused || attempt === 20) throw error;
        await sleep(100);
      }
    }
  }

  redis(...command) {
    return redisCommand(this.deployment.redis.url, command);
  }

  /** As a crash: killed at once, and started again by whoever watches over it a second later. */
  async killAndRestart(instance) {
    await instance.kill();
    await sleep(STOPPED_MS);
    await instance.start();
    await instance.untilReady(READY_MS);
  }

  /** The api that was told of this call last: if any had its time in its head, it would be that one. */
  killLastTold({ id }) {
    const taken = ({ event, status }) => event.payload.call_control_id === id && status === 200;
    const { url } = this.telnyx.deliveries.findLast(taken);
    return this.killAndRestart(this.apis.find((it) => url.startsWith(it.url)));
  }

  async close() {
    await this.telnyx.stop();
    await this.deployment.stop();
  }
}

/** It listens before it has reached Redis. */
function untilReady({ name, url }) {
  return waitFor(async () => (await fetch(new URL('/readyz', url))).ok, {
    timeoutMs: READY_MS,
    what: `${name} to be ready`,
  });
}

class Refused extends Error {}

async function askOne(url, { method, body, expected, adminToken }) {
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${adminToken}`, ...(body && { 'content-type': 'application/json' }) },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(5_000),
  });
  const text = await response.text();
  if (response.ok || expected.includes(response.status)) return JSON.parse(text);
  const problem = `${method} ${url.pathname} was answered with ${response.status}: ${text.slice(0, 300)}`;
  throw response.status >= 500 ? new Error(problem) : new Refused(problem);
}
