import fs from 'node:fs';
import path from 'node:path';

const MIB = 1024 * 1024;

/** Where a container sees the cgroup that it is in, whichever version; on a plain machine there is no limit there. */
const CGROUPS = [
  { folder: '/sys/fs/cgroup', limit: 'memory.max', used: 'memory.current', cache: 'inactive_file' },
  {
    folder: '/sys/fs/cgroup/memory',
    limit: 'memory.limit_in_bytes',
    used: 'memory.usage_in_bytes',
    cache: 'total_inactive_file',
  },
];

/** How much memory agents of this host could still take. */
export class HostMemory {
  readonly #lowWaterBytes: number;
  readonly #root: string;

  /** @param root of the file system; another one in tests */
  constructor(lowWaterMb: number, root = '/') {
    this.#lowWaterBytes = lowWaterMb * MIB;
    this.#root = root;
  }

  /** Of the machine, or of our container where that is less; what the kernel only caches counts as free. */
  freeBytes(): number | undefined {
    const known = [this.#ofMachine(), ...CGROUPS.map((it) => this.#ofCgroup(it))].filter(Number.isFinite);
    return known.length === 0 ? undefined : Math.max(0, Math.min(...(known as number[])));
  }

  /** What cannot be read is no shortage. */
  isShort(): boolean {
    if (this.#lowWaterBytes === 0) return false;
    return (this.freeBytes() ?? Number.POSITIVE_INFINITY) < this.#lowWaterBytes;
  }

  #ofMachine(): number | undefined {
    const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(this.#read('/proc/meminfo'))?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  }

  #ofCgroup({ folder, limit, used, cache }: (typeof CGROUPS)[number]): number | undefined {
    const limitBytes = Number.parseInt(this.#read(path.join(folder, limit)), 10);
    const usedBytes = Number.parseInt(this.#read(path.join(folder, used)), 10);
    const stat = this.#read(path.join(folder, 'memory.stat'));
    const cached = new RegExp(`^${cache} (\\d+)$`, 'm').exec(stat)?.[1] ?? '0';
    return limitBytes - (usedBytes - Number(cached));
  }

  /** Empty where there is no such file. */
  #read(file: string): string {
    try {
      return fs.readFileSync(path.join(this.#root, file), 'utf8');
    } catch {
      return '';
    }
  }
}
