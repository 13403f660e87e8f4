import process from 'node:process';
import type { AgentRun } from './agent-run.js';
import { LookSchedule } from './look-schedule.js';
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
  readonly #schedule = new LookSchedule();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;

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
    const tasks = countTasks();
    this.#schedule.note(tasks);
    if (this.#looking !== undefined || !this.#schedule.isDue(performance.now(), tasks)) return;
    this.#schedule.begin(tasks);
    const runs = this.#context.runs.all().filter(isWatched);
    if (runs.length === 0) return this.#schedule.end(performance.now(), { costMs: 0, isOver: false });
    this.#looking = this.#look(runs).finally(() => {
      this.#looking = undefined;
    });
  }

  async #look(runs: readonly AgentRun[]): Promise<void> {
    const usedBefore = process.cpuUsage();
    const table = await scanProcesses();
    let isOver = false;
    for (const run of runs) {
      const excess = findExcess(run, table);
      if (excess === undefined || !isWatched(run) || run.identity === undefined) continue;
      isOver = true;
      freezeTree(table, run.identity);
      void this.#act(run, excess);
    }
    const { user, system } = process.cpuUsage(usedBefore);
    this.#schedule.end(performance.now(), { costMs: (user + system) / 1000, isOver });
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
