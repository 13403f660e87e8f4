import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Who holds a port: `{}` when that is somebody whose files we may not read. */
export interface PortOwner {
  readonly pid?: number;
  readonly command?: string;
}

const TABLES = {
  tcp: ['/proc/net/tcp', '/proc/net/tcp6'],
  udp: ['/proc/net/udp', '/proc/net/udp6'],
} as const;
/** States of the kernel's tables in which a socket waits for whoever comes: listening, and for UDP bound. */
const WAITING = { tcp: '0A', udp: '07' } as const;

/** Undefined where nobody holds it, as far as this machine (or this container) sees. */
export function findPortOwner(port: number, protocol: 'tcp' | 'udp'): PortOwner | undefined {
  const inodes = waitingSockets(port, protocol);
  if (inodes.size === 0) return undefined;
  const pid = listPids().find((candidate) => holdsSocket(candidate, inodes));
  return pid === undefined ? {} : { pid, command: commandLineOf(pid) };
}

function waitingSockets(port: number, protocol: 'tcp' | 'udp'): Set<string> {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set<string>();
  for (const line of TABLES[protocol].flatMap(readTable)) {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    if (state === WAITING[protocol] && local?.endsWith(`:${hexPort}`) && inode !== undefined)
      inodes.add(inode);
  }
  return inodes;
}

function readTable(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(1);
  } catch {
    return [];
  }
}

function listPids(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

function holdsSocket(pid: number, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => inodes.has(socketOf(`/proc/${pid}/fd/${fd}`) ?? ''));
  } catch {
    return false;
  }
}

function socketOf(link: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(link))?.[1];
  } catch {
    return undefined;
  }
}

function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}
