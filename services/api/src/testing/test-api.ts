import { Writable } from 'node:stream';
import { afterAll } from '@jest/globals';
import type { StartResponse } from '@greenroom/contracts';
import { type HostFields, openRedis, type RedisSchema } from '@greenroom/redis-schema';
import { createLogger, retentionOf, secretsOf } from '@greenroom/service-kit';
import type { TestLiveKit, TestRedis } from '@greenroom/test-kit';
import type { Express } from 'express';
import request from 'supertest';
import { type AppOptions, buildApp } from '../app.js';
import { parseApiConfig, REDIS_LIMIT_MS } from '../config.js';
import type { ApiContext } from '../context.js';
import { OpenStreams } from '../http/open-streams.js';
import { AgentMessages } from '../livekit/agent-messages.js';
import { askLiveKit, LiveKitBreaker } from '../livekit/livekit-breaker.js';
import { LiveKitProbe } from '../livekit/livekit-probe.js';
import { Rooms } from '../livekit/rooms.js';
import { createApiMetrics } from '../metrics.js';
import { LineWatch } from '../sessions/line-watch.js';

export const ADMIN_TOKEN = 'admin-token-of-this-test';
export const CLIENT_KEY = 'client-key-of-this-test';
export const HOST = 'host-a';

export interface TestApi {
  readonly app: Express;
  readonly context: ApiContext;
  readonly schema: RedisSchema;
  /** Looks at the line only once it was opened. */
  readonly lineWatch: LineWatch;
  /** What was logged so far. */
  log(): string;
  get(path: string): request.Test;
  post(path: string, body?: object): request.Test;
  /** As an admin. */
  adminGet(path: string): request.Test;
  adminPost(path: string, body?: object): request.Test;
  adminPut(path: string, body?: object): request.Test;
  adminPatch(path: string, body?: object): request.Test;
  /** Starts a session, and fails the test when that does not work. */
  start(body?: object): Promise<StartResponse>;
  close(): Promise<void>;
}

export interface TestApiOptions extends AppOptions {
  readonly redis: TestRedis;
  readonly livekit?: TestLiveKit;
  readonly env?: Readonly<Record<string, string>>;
  /** Waits for Redis first. Default true. */
  readonly isConnected?: boolean;
}

const opened = new Set<TestApi>();

// A test that fails before it closes its api would otherwise keep the run alive for ever.
afterAll(async () => {
  for (const api of opened) await api.close();
});

/** The app with everything real but the listening. Without a LiveKit, nothing answers where it should be, and starts are taken all the same. */
export async function openTestApi({
  redis,
  livekit,
  env,
  isConnected = true,
  ...options
}: TestApiOptions): Promise<TestApi> {
  const environment = {
    REDIS_URL: redis.url,
    LIVEKIT_URL: livekit?.url ?? 'ws://127.0.0.1:9',
    LIVEKIT_API_KEY: livekit?.apiKey ?? 'key',
    LIVEKIT_API_SECRET: livekit?.apiSecret ?? 'a-secret-of-livekit-that-nobody-may-see',
    ADMIN_TOKEN,
    RATE_LIMIT_PER_MINUTE: '0',
    ...env,
  };
  const config = parseApiConfig(environment);
  const log = collectLog();
  const logger = createLogger({
    service: 'api',
    level: 'debug',
    secrets: secretsOf(environment),
    destination: log.destination,
  });
  const schema = openRedis({
    url: config.redisUrl,
    keyPrefix: config.redisKeyPrefix,
    clientName: 'test',
    commandTimeoutMs: REDIS_LIMIT_MS,
    retention: retentionOf(config),
  });
  if (isConnected) await schema.connected(2_000);
  const metrics = createApiMetrics();
  const livekitBreaker = new LiveKitBreaker({
    ask: livekit ? askLiveKit(config) : async () => undefined,
    gauge: metrics.livekitBreakerOpen,
    logger,
  });
  const lineWatch = new LineWatch({ redis: schema, maxSessions: config.maxSessions, metrics, logger });
  const context: ApiContext = {
    config,
    redis: schema,
    rooms: new Rooms(config, { breaker: livekitBreaker, logger }),
    agentMessages: new AgentMessages(config),
    livekit: new LiveKitProbe(config, livekitBreaker),
    livekitBreaker,
    streams: new OpenStreams(metrics.openStreams),
    lineWatch,
    metrics,
    logger,
  };
  const app = buildApp(context, options);
  const asAdmin = (test: request.Test) => test.set('Authorization', `Bearer ${ADMIN_TOKEN}`);
  const api: TestApi = {
    app,
    context,
    schema,
    lineWatch,
    log: log.text,
    get: (path) => request(app).get(path),
    post: (path, body) => request(app).post(path).send(body),
    adminGet: (path) => asAdmin(request(app).get(path)),
    adminPost: (path, body) => asAdmin(request(app).post(path).send(body)),
    adminPut: (path, body) => asAdmin(request(app).put(path).send(body)),
    adminPatch: (path, body) => asAdmin(request(app).patch(path).send(body)),
    async start(body = {}) {
      const { status, body: answer } = await api.post('/api/session/start', body);
      if (status >= 300) throw new Error(`start answered ${status}: ${JSON.stringify(answer)}`);
      return answer as StartResponse;
    },
    async close() {
      livekitBreaker.close();
      lineWatch.close();
      if (opened.delete(api)) await schema.close();
    },
  };
  opened.add(api);
  return api;
}

function collectLog() {
  let text = '';
  const destination = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  return { destination, text: () => text };
}

/** What the spawner of a host writes, without any process: the api sees only the facts. */
export class StandInSpawner {
  readonly #schema: RedisSchema;
  #serial = 0;

  constructor(schema: RedisSchema) {
    this.#schema = schema;
  }

  async register(poolTarget = 3): Promise<void> {
    await this.#schema.hosts.register(HOST, [
      { name: 'default', description: 'Talks', voices: [{ id: 'awb', name: 'Alan' }], poolTarget },
      { name: 'other', voices: [], poolTarget: 0 },
    ]);
    await this.heartbeat();
  }

  async heartbeat(facts: Partial<HostFields> = {}): Promise<void> {
    await this.#schema.hosts.heartbeat(HOST, {
      capacity: 60,
      concurrency: 4,
      version: 'test',
      startedAt: 0,
      running: 0,
      draining: false,
      ...facts,
    });
  }

  /** Puts a warm agent into the pool. @returns its id */
  async warmUp(): Promise<string> {
    this.#serial += 1;
    const id = `prewarm_${String(this.#serial).padStart(24, 'w')}`;
    await this.#schema.pools.planRefill({
      profile: 'default',
      ids: [id],
      rooms: [`greenroom-${id}`],
      warmMaxAgeMs: 3_600_000,
      sessionTimeoutMs: 60_000,
    });
    await this.launchNext();
    return id;
  }

  /** Claims the next launch and commits its process. */
  async claimNext(): Promise<{ sessionId: string; generation: number; launch: string }> {
    const launch = `launch-${(this.#serial += 1)}`;
    const claim = await this.#schema.sessions.claim({
      host: HOST,
      launch,
      hostCapacity: 60,
      includePool: true,
    });
    if (claim.status !== 'claimed') throw new Error(`nothing to launch: ${claim.status}`);
    const ref = { sessionId: claim.session.id, generation: claim.session.generation, launch };
    await this.#schema.sessions.commitLaunch(ref, {
      pid: 4242,
      pgid: 4242,
      startTime: '1',
      roomSid: undefined,
      logFile: '/var/log/agent.log',
    });
    return ref;
  }

  /** Launches the next and has it ready at once. */
  async launchNext(): Promise<{ sessionId: string; generation: number; launch: string }> {
    const ref = await this.claimNext();
    await this.#schema.sessions.markReady(ref, 1234);
    return ref;
  }
}
