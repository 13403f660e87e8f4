import { freePort } from './free-port.js';
import { findRedisServer } from './find-binary.js';
import { type RunningProcess, startProcess, type StopOptions } from './process.js';
import { type RedisReply, redisCommand } from './resp.js';
import { makeTempDir } from './temp-dir.js';

export interface RedisOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** Append-only file, so that `restart()` finds the data again. Default false. */
  readonly persistent?: boolean;
  readonly password?: string;
  /** More settings, as on redis-server's command line: `{ maxmemory: '4mb' }`. */
  readonly config?: Readonly<Record<string, string>>;
}

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** Changes with `restart()`. */
  readonly pid: number;
  /** One command on a connection of its own. */
  command(...args: readonly (string | number)[]): Promise<RedisReply>;
  /** Hangs the server: connections stay open and get no answer. */
  pause(): void;
  resume(): void;
  /** SIGKILL; the port refuses connections until `restart()`. */
  kill(): Promise<void>;
  /** Ends the server if it still runs and starts one on the same port: empty, unless it is persistent. */
  restart(): Promise<void>;
  stop(options?: StopOptions): Promise<void>;
}

/** A real redis-server on a free loopback port with a directory of its own, keeping nothing by default. */
export async function startRedis(options: RedisOptions = {}): Promise<TestRedis> {
  const dir = await makeTempDir('redis');
  let server = await launchOnFreePort(dir.path, options);
  const { port } = server;
  const url = `redis://${options.password ? `:${encodeURIComponent(options.password)}@` : ''}127.0.0.1:${port}`;
  return {
    url,
    port,
    get pid() {
      return server.process.pid;
    },
    command: (...args) => redisCommand(url, args),
    pause: () => server.process.pause(),
    resume: () => server.process.resume(),
    async kill() {
      await server.process.kill();
    },
    async restart() {
      await server.process.stop();
      server = await launchRedis(dir.path, port, options);
    },
    async stop(stopOptions) {
      await server.process.stop(stopOptions);
      await dir.remove();
    },
  };
}

interface Launched {
  readonly port: number;
  readonly process: RunningProcess;
}

/** Another test may have taken the port between our look and the bind: look again. */
async function launchOnFreePort(dir: string, options: RedisOptions): Promise<Launched> {
  if (options.port !== undefined) return launchRedis(dir, options.port, options);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await launchRedis(dir, await freePort(), options);
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}

async function launchRedis(dir: string, port: number, options: RedisOptions): Promise<Launched> {
  const settings: Record<string, string> = {
    port: String(port),
    bind: '127.0.0.1',
    dir,
    save: '',
    appendonly: options.persistent ? 'yes' : 'no',
    'maxmemory-policy': 'noeviction',
    ...(options.password && { requirepass: options.password }),
    ...options.config,
  };
  const running = await startProcess({
    name: `redis-server on ${port}`,
    command: findRedisServer(),
    args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    readyWhen: { line: /Ready to accept connections/ },
  });
  return { port, process: running };
}
