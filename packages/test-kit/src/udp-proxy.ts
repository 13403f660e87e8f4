import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';

export interface UdpProxy {
  readonly port: number;
  /** As a cable that was pulled: whatever comes, from either side, is gone. */
  drop(): void;
  /** Back to normal. */
  release(): void;
  stop(): Promise<void>;
}

/** A proxy on loopback between clients and a server that talk by datagrams, for the faults of a network. */
export async function startUdpProxy(target: { host: string; port: number }): Promise<UdpProxy> {
  const front = createSocket('udp4');
  /** The server knows each client by a port of its own. */
  const backs = new Map<string, Socket>();
  let isCut = false;
  front.on('message', (datagram, client) => {
    if (!isCut) backOf(client).send(datagram, target.port, target.host);
  });
  front.bind(0, '127.0.0.1');
  await once(front, 'listening');

  function backOf({ address, port }: RemoteInfo): Socket {
    const known = backs.get(`${address} ${port}`);
    if (known) return known;
    const back = createSocket('udp4');
    back.on('message', (datagram) => {
      if (!isCut) front.send(datagram, port, address);
    });
    backs.set(`${address} ${port}`, back);
    return back;
  }

  return {
    port: front.address().port,
    drop() {
      isCut = true;
    },
    release() {
      isCut = false;
    },
    async stop() {
      await Promise.all(
        [front, ...backs.values()].map((socket) => new Promise<void>((done) => socket.close(done))),
      );
    },
  };
}
