import type { ChildProcess } from 'node:child_process';

const unreaped = new Set<number>();

/** Remembers a child until Node has reaped it. */
export function trackChild(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  unreaped.add(pid);
  child.once('exit', () => unreaped.delete(pid));
}

/** True for a child that Node will reap itself; other zombies below us were handed to us and stay. */
export function isOwnChild(pid: number): boolean {
  return unreaped.has(pid);
}
