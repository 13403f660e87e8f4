import type { AgentRun } from './agent-run.js';
import {
  countTasks,
  freezeTree,
  keepersOf,
  measureTree,
  measureTreeFairly,
  type ProcessTable,
  scanProcesses,
} from './process/index.js';
import { type SpawnerContext, shortId } from './spawner-context.js';
import type { Supervisor } from './supervisor.js';

const TICK_MS = 50;
const LOOK_EVERY_MS = 2000;
/** A look may take one fiftieth of the time, however many processes the machine has; an early one a fifth. */
const REST_FACTOR = 50;
const EARLY_REST_FACTOR = 5;
/** As many new processes on the machine since the last look, of whomever, are a reason to look at once. */
const SUDDEN_TASKS = 100;

interface Excess {
  readonly limit: 'memory' | 'processes';
  readonly used: number;
  readonly allowed: number;
}

/**
 * Holds the limits that the kernel does not hold for us: looks regularly what every agent uses, and kills one that is
 * over. Between looks it only counts the processes of the whole machine, which costs nothing and betrays a fork bomb.
 */
export class LimitWatch {
  readonly #context: SpawnerContext;
  readonly #supervisor: Supervisor;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #lookedAtMs = 0;
  #lookTookMs = 0;
  #tasksThen = 0;

  constructor(context: SpawnerContext, supervisor: Supervisor) {
    this.#context = context;
    this.#supervisor = supervisor;
  }

  open(): void {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    if (this.#looking !== undefined || !this.#isDue()) return;
    const runs = this.#context.runs.all().filter(isWatched);
    if (runs.length === 0) return;
    this.#looking = this.#look(runs).finally(() => {
      this.#looking = undefined;
    });
  }

  #isDue(): boolean {
    const restedMs = performance.now() - this.#lookedAtMs;
    if (restedMs >= Math.max(LOOK_EVERY_MS, REST_FACTOR * this.#lookTookMs)) return true;
    return restedMs >= EARLY_REST_FACTOR * this.#lookTookMs && countTasks() - this.#tasksThen >= SUDDEN_TASKS;
  }

  async #look(runs: readonly AgentRun[]): Promise<void> {
    const startedAtMs = performance.now();
    this.#tasksThen = countTasks();
    const table = await scanProcesses();
    this.#lookedAtMs = performance.now();
    this.#lookTookMs = this.#lookedAtMs - startedAtMs;
    for (const run of runs) {
      const excess = findExcess(run, table);
      if (excess === undefined || !isWatched(run) || run.identity === undefined) continue;
      freezeTree(table, run.identity);
      void this.#act(run, excess);
    }
  }

  async #act(run: AgentRun, excess: Excess): Promise<void> {
    const { logger, metrics, redis } = this.#context;
    logger.warn('agent over its limit, it is stopped', { session: shortId(run.id), ...excess });
    metrics.overLimit.inc({ limit: excess.limit });
    const event = { type: 'over_limit', data: excess };
    // It must not go on eating while Redis is asked.
    await Promise.all([
      this.#supervisor.overLimit(run),
      redis.agents.append(run.ref, { source: 'spawner', lines: [], events: [event] }),
    ]).catch((error: unknown) => {
      logger.warn('over a limit, and not all could be done about it', { session: shortId(run.id), error });
    });
  }
}

function isWatched(run: AgentRun): boolean {
  if (run.phase !== 'starting' && run.phase !== 'serving') return false;
  if (run.isOverLimit) return false;
  const { memory, processes } = keepersOf(run.cgroup, run.profile.limits);
  return memory === 'watch' || processes === 'watch';
}

function findExcess({ identity, cgroup, profile }: AgentRun, table: ProcessTable): Excess | undefined {
  if (identity === undefined) return undefined;
  const { memoryBytes, processes } = profile.limits;
  const keepers = keepersOf(cgroup, profile.limits);
  const { processCount, rssBytes } = measureTree(table, identity);
  if (keepers.processes === 'watch' && processes !== undefined && processCount > processes) {
    return { limit: 'processes', used: processCount, allowed: processes };
  }
  if (keepers.memory !== 'watch' || memoryBytes === undefined || rssBytes <= memoryBytes) return undefined;
  // The sum counts what processes share once for each; only now is the dearer measure worth it.
  const used = measureTreeFairly(table, identity);
  return used > memoryBytes ? { limit: 'memory', used, allowed: memoryBytes } : undefined;
}
