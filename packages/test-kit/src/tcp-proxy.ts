import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Keeps back what the server answers, until `release`. Requests still get through. */
  holdReplies(): void;
  release(): void;
  stop(): Promise<void>;
}

/** A proxy on loopback between a client and a server, for the moments that a test must stretch. */
export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const open = new Set<Socket>();
  let isHolding = false;
  const held: (() => void)[] = [];

  const server = createServer((client) => {
    const upstream = connect(target.port, target.host);
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => open.delete(socket));
    }
    client.pipe(upstream);
    upstream.on('data', (data) => {
      const pass = (): void => void client.write(data);
      if (isHolding) held.push(pass);
      else pass();
    });
    upstream.on('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    holdReplies() {
      isHolding = true;
    },
    release() {
      isHolding = false;
      for (const pass of held.splice(0)) pass();
    },
    async stop() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
