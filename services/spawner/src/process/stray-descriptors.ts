import fs from 'node:fs';

const O_CLOEXEC = 0o2000000;
/** A descriptor above this is left alone: the list handed to spawn would grow as long as its number. */
const MAX_DESCRIPTOR = 1023;

/**
 * Descriptors of ours that a child would inherit: those without close-on-exec. Node opens everything with it and marks
 * the first few it was itself given, but not, say, descriptor 50 of the shell that started us.
 */
export function listInheritableDescriptors(): number[] {
  return fs
    .readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => fd > 2 && fd <= MAX_DESCRIPTOR && isInheritable(fd));
}

function isInheritable(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
  } catch {
    return false;
  }
}
