import os from 'node:os';

/** What the whole machine does, as its operating system says. */
export class HostLoad {
  readonly #cpus: () => readonly os.CpuInfo[];
  #before: { busy: number; all: number } | undefined;

  constructor(cpus: () => readonly os.CpuInfo[] = os.cpus) {
    this.#cpus = cpus;
  }

  /** CPU is since the question before, of all cores together, 0 to 100; undefined at the first one. */
  read(): { cpuPercent: number | undefined; loadAverage: number; cores: number } {
    const times = this.#cpus().map((cpu) => cpu.times);
    const all = sum(times.flatMap((it) => Object.values(it)));
    const busy = all - sum(times.map((it) => it.idle));
    const before = this.#before;
    this.#before = { busy, all };
    const passed = before ? all - before.all : 0;
    const cpuPercent = before && passed > 0 ? rounded(((busy - before.busy) / passed) * 100) : undefined;
    return { cpuPercent, loadAverage: rounded(os.loadavg()[0] ?? 0), cores: times.length };
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
