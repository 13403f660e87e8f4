// Holds a network namespace in which there is nothing but ways out to somebody outside: ports of its loopback lead to the unix
// sockets FOLDER/PORT. Others enter it with nsenter. Prints `the network is up`.
// Usage: unshare -rn node hold-network.mjs PORT[,PORT...] FOLDER
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import path from 'node:path';

const [ports, folder] = process.argv.slice(2);
execFileSync('ip', ['link', 'set', 'lo', 'up']);
for (const port of ports.split(',')) {
  const server = createServer((inside) => {
    const outside = connect(path.join(folder, port));
    for (const [socket, other] of [
      [inside, outside],
      [outside, inside],
    ]) {
      socket.on('error', () => other.destroy());
      socket.on('close', () => other.destroy());
    }
    inside.pipe(outside).pipe(inside);
  });
  server.listen(Number(port), '127.0.0.1');
  await once(server, 'listening');
}

console.log('the network is up');
