import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ListenAddress {
  /** `::` is every address, IPv4 included; where the machine has no IPv6, every IPv4 address. */
  readonly host: string;
  /** 0 is any free one. */
  readonly port: number;
}

/**
 * Listens, and answers the port.
 * @throws with a sentence for a person when the port is taken or may not be used
 */
export async function listen(server: Server, { host, port }: ListenAddress): Promise<number> {
  try {
    return await listenOn(server, host, port);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (host === '::' && (code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL')) {
      return listenOn(server, '0.0.0.0', port);
    }
    throw new Error(`cannot listen on ${host} port ${port}: ${EXPLANATIONS[code ?? ''] ?? code}`, {
      cause: error,
    });
  }
}

const EXPLANATIONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there already',
  EACCES: 'this user may not use that port',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'the host name is unknown',
};

async function listenOn(server: Server, host: string, port: number): Promise<number> {
  server.listen({ host, port });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const IDLE_LOOK_MS = 50;

/** Takes no more connections, ends those that idle, and resolves when the last request is answered. */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  // A kept-alive connection idles once its last answer is out, which may be long after we began to close.
  server.closeIdleConnections();
  const looking = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS);
  await closed;
  clearInterval(looking);
}
