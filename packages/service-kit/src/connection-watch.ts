import { once } from 'node:events';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import pRetry from 'p-retry';

export interface ConnectionWatchOptions {
  /** `ws`, `wss`, `http` or `https`; only host, port and whether it is TLS matter. */
  readonly url: string;
  /** The connection has closed: the server has gone, or something between us has. */
  readonly onLost: () => void;
  /** There is a connection, for the first time or again. */
  readonly onConnected: () => void;
}

const CONNECT_LIMIT_MS = 1000;
const FIRST_PAUSE_MS = 100;
/** A server that returns is noticed this late at most. */
const LONGEST_PAUSE_MS = 300;
/** What closes sooner than this again and again must not keep us busy. */
const SHORT_LIFE_MS = 1000;
const KEEP_ALIVE_MS = 10_000;

/**
 * Holds one idle connection to a server: the news that it went away arrives by itself, at once, without a question or
 * a timer while it is there. While it is away, connecting is tried with a jittered back-off. A load balancer may close an
 * idle connection too, so a lost connection is a reason to look, never a proof.
 */
export class ConnectionWatch {
  readonly #options: ConnectionWatchOptions;
  readonly #closing = new AbortController();
  #socket: Socket | undefined;

  constructor(options: ConnectionWatchOptions) {
    this.#options = options;
  }

  /** Returns at once; keeps no process alive. */
  open(): void {
    this.#watch().catch((error: unknown) => {
      if (!this.#closing.signal.aborted) throw error;
    });
  }

  close(): void {
    this.#closing.abort();
    this.#socket?.destroy();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const socket = await pRetry(() => connect(this.#options.url, signal), {
        retries: Infinity,
        minTimeout: FIRST_PAUSE_MS,
        maxTimeout: LONGEST_PAUSE_MS,
        randomize: true,
        signal,
        unref: true,
      });
      this.#socket = socket;
      const connectedAtMs = performance.now();
      // Not events.once: that would reject at an error, after which there is a close all the same.
      const closed = new Promise((resolve) => socket.once('close', resolve));
      this.#options.onConnected();
      await closed;
      signal.throwIfAborted();
      this.#options.onLost();
      if (performance.now() - connectedAtMs < SHORT_LIFE_MS)
        await sleep(LONGEST_PAUSE_MS, undefined, { signal, ref: false });
    }
  }
}

/** @throws when there is no connection within a second */
async function connect(url: string, signal: AbortSignal): Promise<Socket> {
  const { hostname, port, protocol } = new URL(url);
  const isTls = protocol === 'wss:' || protocol === 'https:';
  // An IPv6 address stands in brackets in a URL only.
  const host = hostname.replace(/^\[|\]$/g, '');
  const address = { host, port: Number(port) || (isTls ? 443 : 80) };
  const socket = isTls
    ? connectTls({ ...address, ...(isIP(host) === 0 && { servername: host }) })
    : connectTcp(address);
  socket.unref();
  socket.on('error', () => socket.destroy());
  // Whatever it may say is not for us, and would otherwise be kept.
  socket.resume();
  const limit = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_LIMIT_MS)]);
  try {
    await once(socket, isTls ? 'secureConnect' : 'connect', { signal: limit });
  } catch (error) {
    socket.destroy();
    throw new Error('no connection', { cause: error });
  }
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  return socket;
}
