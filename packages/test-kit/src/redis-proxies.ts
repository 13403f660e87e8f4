import type { TestRedis } from './redis.js';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js';

/** One for each service, so that a test may cut one of them off. */
interface Proxies {
  readonly api: TcpProxy;
  readonly spawner: TcpProxy;
}

export async function startRedisProxies(
  { port }: TestRedis,
  undo: (() => Promise<unknown>)[],
): Promise<Proxies> {
  const [api, spawner] = await Promise.all([
    startTcpProxy({ host: '127.0.0.1', port }),
    startTcpProxy({ host: '127.0.0.1', port }),
  ]);
  undo.push(
    () => api.stop(),
    () => spawner.stop(),
  );
  return { api, spawner };
}

export function urlOf(proxy: TcpProxy | undefined): Record<string, string> {
  return proxy ? { REDIS_URL: `redis://127.0.0.1:${proxy.port}` } : {};
}

/** @throws where there is none */
export function requiredProxy(proxy: TcpProxy | undefined): TcpProxy {
  if (!proxy) throw new Error('this stack was started without this proxy');
  return proxy;
}
