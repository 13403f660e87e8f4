import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the proxy does to those who use it; `pass` is the network as it should be. */
type Mode =
  /** Bytes go both ways. */
  | { readonly kind: 'pass' }
  /** As `pass`, a while later. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Every connection is reset, and so is each new one. */
  | { readonly kind: 'drop' }
  /** Connections stay, and new ones are taken; nothing goes through, either way. */
  | { readonly kind: 'swallow' }
  /** Requests get through, answers are kept back. */
  | { readonly kind: 'hold' }
  /** Requests get through; instead of the answer the connection is cut. */
  | { readonly kind: 'lose' };

export interface TcpProxy {
  readonly port: number;
  /** As a machine that has gone: resets what is open and what comes. */
  drop(): void;
  /** Everything takes so much longer, each way. */
  delay(ms: number): void;
  /**
   * As a cable that was pulled: accepts, forwards nothing, answers nothing. What is swallowed never arrives, so at
   * `release` such a connection is reset: no network leaves a hole in one that goes on.
   */
  swallow(): void;
  /** Keeps back what the server answers, until `release`. Requests still get through. */
  holdReplies(): void;
  /** Requests still get through; in place of the answer the connection is cut. */
  loseReplies(): void;
  /**
   * The answer to the next request that contains this text is lost: the server has done what was asked, and the connection
   * is cut. Resolves when that has happened. Everything else passes.
   */
  loseReplyTo(text: string): Promise<void>;
  /** Back to normal; what was held arrives. */
  release(): void;
  stop(): Promise<void>;
}

/** A proxy on loopback between a client and a server, for the faults of a network and the moments that a test must stretch. */
export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const links = new Set<Link>();
  const state: State = { mode: { kind: 'pass' }, held: [], victim: undefined };
  const server = createServer({ noDelay: true }, (client) => {
    if (state.mode.kind === 'drop') client.resetAndDestroy();
    else links.add(new Link(client, target, state, (link) => links.delete(link)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const become = (mode: Mode): void => {
    state.mode = mode;
  };
  return {
    port: (server.address() as AddressInfo).port,
    drop() {
      become({ kind: 'drop' });
      for (const link of links) link.reset();
    },
    delay: (ms) => become({ kind: 'delay', ms }),
    swallow: () => become({ kind: 'swallow' }),
    holdReplies: () => become({ kind: 'hold' }),
    loseReplies: () => become({ kind: 'lose' }),
    loseReplyTo: (text) =>
      new Promise((onLost) => {
        state.victim = { text, onLost };
      }),
    release() {
      become({ kind: 'pass' });
      state.victim = undefined;
      for (const pass of state.held.splice(0)) pass();
      for (const link of links) if (link.hasSwallowed) link.reset();
    },
    async stop() {
      for (const link of links) link.reset();
      server.close();
      await once(server, 'close');
    },
  };
}

interface State {
  mode: Mode;
  readonly held: (() => void)[];
  victim: { readonly text: string; readonly onLost: () => void } | undefined;
}

/** One client's connection, and ours to the server for it. */
class Link {
  hasSwallowed = false;
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #state: State;
  /** Its request was the one whose answer is to be lost. */
  #onLost: (() => void) | undefined;

  constructor(
    client: Socket,
    target: { host: string; port: number },
    state: State,
    onClose: (link: Link) => void,
  ) {
    this.#client = client;
    this.#state = state;
    this.#upstream = connect({ ...target, noDelay: true });
    for (const socket of [client, this.#upstream]) socket.on('error', () => socket.destroy());
    // In order, so that the server still reads what was sent before.
    client.on('close', () => this.#upstream.end());
    this.#upstream.on('close', () => {
      client.destroy();
      onClose(this);
    });
    client.on('data', (data) => void this.#onRequest(data));
    this.#upstream.on('data', (data) => void this.#onReply(data));
  }

  reset(): void {
    this.#client.resetAndDestroy();
    this.#upstream.destroy();
  }

  #swallow(): void {
    this.hasSwallowed = true;
  }

  /** The server has the request and does it; who asked never hears of it. */
  #cut(): void {
    this.#client.resetAndDestroy();
  }

  async #onRequest(data: Buffer): Promise<void> {
    const { mode, victim } = this.#state;
    if (mode.kind === 'swallow') return this.#swallow();
    if (mode.kind === 'delay') await sleep(mode.ms);
    if (victim !== undefined && data.includes(victim.text)) {
      this.#state.victim = undefined;
      this.#onLost = victim.onLost;
    }
    this.#upstream.write(data);
  }

  async #onReply(data: Buffer): Promise<void> {
    const { mode, held } = this.#state;
    if (mode.kind === 'swallow') return this.#swallow();
    if (mode.kind === 'delay') await sleep(mode.ms);
    if (mode.kind === 'lose' || this.#onLost !== undefined) {
      this.#cut();
      this.#onLost?.();
    } else if (mode.kind === 'hold') held.push(() => this.#client.write(data));
    else this.#client.write(data);
  }
}
