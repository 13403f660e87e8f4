import { createSocket } from 'node:dgram';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { commandLineOf, listPids } from './proc.mjs';

export function isTcpPortFree(port, host = '127.0.0.1') {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host }, () => server.close(() => resolve(true)));
  });
}

export function isUdpPortFree(port, host = '127.0.0.1') {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => {
      socket.close();
      resolve(false);
    });
    socket.bind(port, host, () => socket.close(() => resolve(true)));
  });
}

/** The port we would like, or the next free one after it. */
export async function freePortFrom(first, isFree = isTcpPortFree) {
  for (let port = first; port < first + 200; port += 1) if (await isFree(port)) return port;
  throw new Error(`no free port between ${first} and ${first + 200}`);
}

/**
 * Who listens on a TCP port: `{pid, command}`, `{}` when it belongs to somebody whose files we may not read,
 * undefined when nobody does.
 */
export function ownerOfPort(port) {
  const inodes = listeningInodes(port);
  if (inodes.size === 0) return undefined;
  const pid = listPids().find((candidate) => holdsSocket(candidate, inodes));
  return pid === undefined ? {} : { pid, command: commandLineOf(pid) };
}

function listeningInodes(port) {
  const LISTEN = '0A';
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readLines(table).slice(1)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === LISTEN && local?.endsWith(`:${hexPort}`)) inodes.add(inode);
    }
  }
  return inodes;
}

function readLines(path) {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n');
  } catch {
    return [];
  }
}

function holdsSocket(pid, inodes) {
  let descriptors;
  try {
    descriptors = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return false;
  }
  return descriptors.some((fd) => {
    try {
      return inodes.has(/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1]);
    } catch {
      return false;
    }
  });
}
