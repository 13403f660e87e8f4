import { randomBytes } from 'node:crypto';
import { freePort } from './free-port.js';
import { type LiveKitOptions, startLiveKit, type TestLiveKit } from './livekit.js';
import { baseEnvironment, type RunningProcess, sendSignal, type StopOptions } from './process.js';
import { type ProcessFacts, processesWithEnvironment, readCommandLine } from './process-facts.js';
import { findLeftOver } from './left-over.js';
import { type RedisOptions, startRedis, type TestRedis } from './redis.js';
import { serviceSlot } from './service-slot.js';
import { requiredProxy, startRedisProxies, urlOf } from './redis-proxies.js';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js';
import { makeTempDir, type TempDir } from './temp-dir.js';
import { waitFor } from './wait-for.js';

export interface StackOptions {
  /** AGENT_COMMAND. Default: unset, so the reference agent. */
  readonly agentCommand?: string;
  /** For both services, over the stack's own (POOL_TARGET is 0 unless named). */
  readonly env?: Readonly<Record<string, string>>;
  readonly apiEnv?: Readonly<Record<string, string>>;
  readonly spawnerEnv?: Readonly<Record<string, string>>;
  /** A running one, which then stays yours to stop, or settings for one of the stack's own. */
  readonly redis?: TestRedis | RedisOptions;
  readonly livekit?: TestLiveKit | LiveKitOptions;
  /** Each service reaches Redis through a proxy of its own, `apiRedis` and `spawnerRedis`. Default false. */
  readonly redisProxy?: boolean;
  /** LiveKit tells the api's webhook address about its rooms; `proxied`: through the proxy `webhooks`. Default false. */
  readonly webhooks?: boolean | 'proxied';
  /** Folders of other checkouts, built, that a service is of. Default: this one. */
  readonly builds?: { readonly api?: string | undefined; readonly spawner?: string | undefined };
  /** Services to start at once; `startApi` and `startSpawner` start the other. Default: both. */
  readonly services?: readonly ('api' | 'spawner')[];
}

export interface JsonResponse {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed body; text where it is no JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests reach into bodies of many shapes
  readonly body: any;
}

export interface TestStack {
  readonly apiUrl: string;
  readonly spawnerUrl: string;
  readonly adminToken: string;
  readonly stateDir: string;
  readonly redis: TestRedis;
  readonly livekit: TestLiveKit;
  /** Between the api and Redis. @throws without `redisProxy` */
  readonly apiRedis: TcpProxy;
  /** Between the spawner and Redis. @throws without `redisProxy` */
  readonly spawnerRedis: TcpProxy;
  /** Between LiveKit and the api. @throws unless `webhooks` is `proxied` */
  readonly webhooks: TcpProxy;
  /** The environment both services were given, without `apiEnv` and `spawnerEnv`. */
  readonly env: Readonly<Record<string, string>>;
  readonly api: RunningProcess;
  readonly spawner: RunningProcess;
  /** JSON request to the api as admin; `path` may be a full URL, `headers` win, an empty one is left out. */
  request(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<JsonResponse>;
  /** Starts it again after `stop` or `kill`; `env` over what it had before, of another build from now on. */
  startApi(env?: Readonly<Record<string, string>>, build?: string): Promise<RunningProcess>;
  startSpawner(env?: Readonly<Record<string, string>>, build?: string): Promise<RunningProcess>;
  /** Living processes that belong to this stack and are no service: the agents and their children. */
  agentProcesses(): ProcessFacts[];
  /** All output of both services. */
  logs(): string;
  /**
   * Ends everything in order: api, spawner, LiveKit, Redis.
   * @throws when a spawner that drained at its stop left something behind: an agent's process (it is killed first), a
   * room, or a key of a session.
   */
  stop(): Promise<void>;
}

/** The built api and spawner as real processes on their own Redis and LiveKit. Needs `npm run build` first. */
export async function startStack(options: StackOptions = {}): Promise<TestStack> {
  const undo: (() => Promise<unknown>)[] = [];
  try {
    return await assemble(options, undo);
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(() => undefined);
    throw error;
  }
}

async function assemble(options: StackOptions, undo: (() => Promise<unknown>)[]): Promise<TestStack> {
  const ports = { api: await freePort(), spawner: await freePort() };
  const apiUrl = `http://127.0.0.1:${ports.api}`;
  const stateDir = await makeTempDir('state');
  undo.push(stateDir.remove);
  const redis = await ownOrGiven(options.redis, startRedis);
  undo.push(redis.stopOwn);
  const webhooks = options.webhooks === 'proxied' ? await startWebhookProxy(ports.api, undo) : undefined;
  const webhookUrls = options.webhooks ? [webhookUrlAt(webhooks?.port ?? ports.api)] : [];
  const livekit = await ownOrGiven(options.livekit, (own) => startLiveKit({ webhookUrls, ...own }));
  undo.push(livekit.stopOwn);

  const adminToken = randomBytes(24).toString('hex');
  const env = stackEnvironment({
    options,
    ports,
    stateDir,
    redis: redis.it,
    livekit: livekit.it,
    adminToken,
  });
  const proxies = options.redisProxy ? await startRedisProxies(redis.it, undo) : undefined;
  const apiEnv = { ...env, ...urlOf(proxies?.api), ...options.apiEnv };
  const api = serviceSlot('api', `${apiUrl}/readyz`, apiEnv, options.builds?.api);
  const spawnerUrl = `http://127.0.0.1:${ports.spawner}`;
  const spawnerEnv = { ...env, ...urlOf(proxies?.spawner), ...options.spawnerEnv };
  const spawner = serviceSlot('spawner', `${spawnerUrl}/readyz`, spawnerEnv, options.builds?.spawner);
  undo.push(spawner.stop, api.stop);
  const wanted = options.services ?? ['api', 'spawner'];
  // Side by side, as in life: neither may need the other to get ready.
  await Promise.all([wanted.includes('spawner') && spawner.start(), wanted.includes('api') && api.start()]);

  const agentProcesses = () =>
    processesWithEnvironment(stateDir.path).filter(({ pid }) => !api.hasPid(pid) && !spawner.hasPid(pid));
  return {
    apiUrl,
    spawnerUrl,
    adminToken,
    stateDir: stateDir.path,
    redis: redis.it,
    livekit: livekit.it,
    env,
    get apiRedis() {
      return requiredProxy(proxies?.api);
    },
    get spawnerRedis() {
      return requiredProxy(proxies?.spawner);
    },
    get webhooks() {
      return requiredProxy(webhooks);
    },
    get api() {
      return api.current();
    },
    get spawner() {
      return spawner.current();
    },
    request: (method, path, body, headers) =>
      request(new URL(path, apiUrl), method, body, { authorization: `Bearer ${adminToken}`, ...headers }),
    startApi: api.start,
    startSpawner: spawner.start,
    agentProcesses,
    logs: () => `${api.logs()}${spawner.logs()}`,
    async stop() {
      const drains = spawner.isRunning() && spawner.env().SHUTDOWN_MODE === 'drain';
      await api.stop();
      await spawner.stop();
      const left = await endAgents(agentProcesses);
      if (drains) left.push(...(await findLeftOver(spawner.env().HOST_ID, redis.it, livekit.it)));
      await proxies?.api.stop();
      await proxies?.spawner.stop();
      await livekit.stopOwn();
      await webhooks?.stop();
      await redis.stopOwn();
      await stateDir.remove();
      if (drains && left.length > 0) {
        throw new Error(`the spawner left these behind:\n${left.join('\n')}\n${spawner.logs().slice(-3000)}`);
      }
    },
  };
}

async function startWebhookProxy(apiPort: number, undo: (() => Promise<unknown>)[]): Promise<TcpProxy> {
  const proxy = await startTcpProxy({ host: '127.0.0.1', port: apiPort });
  undo.push(() => proxy.stop());
  return proxy;
}

function webhookUrlAt(port: number): string {
  return `http://127.0.0.1:${port}/api/webhooks/livekit`;
}

interface Parts {
  readonly options: StackOptions;
  readonly ports: { readonly api: number; readonly spawner: number };
  readonly stateDir: TempDir;
  readonly redis: TestRedis;
  readonly livekit: TestLiveKit;
  readonly adminToken: string;
}

function stackEnvironment(parts: Parts): Record<string, string> {
  const { options, ports, livekit } = parts;
  return {
    ...baseEnvironment(),
    HOST: '127.0.0.1',
    PORT: String(ports.api),
    SPAWNER_PORT: String(ports.spawner),
    REDIS_URL: parts.redis.url,
    LIVEKIT_URL: livekit.url,
    LIVEKIT_API_KEY: livekit.apiKey,
    LIVEKIT_API_SECRET: livekit.apiSecret,
    ADMIN_TOKEN: parts.adminToken,
    STATE_DIR: parts.stateDir.path,
    HOST_ID: 'test-host',
    POOL_TARGET: '0',
    SHUTDOWN_MODE: 'drain',
    DRAIN_TIMEOUT: '0',
    API_DRAIN_DELAY: '0',
    ...(options.agentCommand !== undefined && { AGENT_COMMAND: options.agentCommand }),
    ...options.env,
  };
}

interface Stoppable {
  stop(options?: StopOptions): Promise<void>;
}

async function ownOrGiven<T extends Stoppable, O extends object>(
  given: T | O | undefined,
  start: (options: O | undefined) => Promise<T>,
): Promise<{ it: T; stopOwn: () => Promise<void> }> {
  if (given && 'stop' in given) return { it: given, stopOwn: async () => undefined };
  const it = await start(given);
  return { it, stopOwn: () => it.stop() };
}

async function endAgents(agentProcesses: () => ProcessFacts[]): Promise<string[]> {
  const left = agentProcesses().map(
    ({ pid, ppid, pgid }) => `${pid} (${ppid}, ${pgid}) ${readCommandLine(pid)}`,
  );
  await waitFor(() => {
    const now = agentProcesses();
    for (const { pid } of now) sendSignal(pid, 'SIGKILL');
    return now.length === 0;
  });
  return left;
}

async function request(
  url: URL,
  method: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<JsonResponse> {
  const response = await fetch(url, {
    method,
    headers: withoutEmpty({ ...(body !== undefined && { 'content-type': 'application/json' }), ...headers }),
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(15_000),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: parseOrText(text) };
}

function parseOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function withoutEmpty(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''));
}
