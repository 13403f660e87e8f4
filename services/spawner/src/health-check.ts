import type { AgentRun } from './agent-run.js';
import type { SessionEnds } from './end-session.js';
import { keepRecord } from './keep-record.js';
import { measureTree, type ProcessTable, rememberDescendants, scanProcesses } from './process/index.js';
import { type SpawnerContext, shortId } from './spawner-context.js';

/** Looks at every agent of this host: is it there, what does it use, which helpers does it have; renews its keys. */
export class HealthCheck {
  readonly #context: SpawnerContext;
  readonly #ends: SessionEnds;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(context: SpawnerContext, ends: SessionEnds) {
    this.#context = context;
    this.#ends = ends;
  }

  /** Keys live as long as SESSION_TIMEOUT, so they are renewed well before, however rare the health checks are. */
  open(): void {
    const { healthCheckIntervalMs, sessionTimeoutMs } = this.#context.config;
    const intervalMs = Math.min(healthCheckIntervalMs, sessionTimeoutMs / 3);
    this.#timer = setInterval(() => void this.run(), intervalMs);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** One look at all; a second one that is asked for meanwhile is the same. Never rejects. */
  run(): Promise<void> {
    this.#running ??= this.#checkAll().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #checkAll(): Promise<void> {
    const runs = this.#context.runs.all().filter((run) => run.identity !== undefined);
    this.#context.metrics.running.set(runs.length);
    if (runs.length === 0) return;
    const table = await scanProcesses();
    await Promise.all(
      runs.map((run) =>
        this.#check(run, table).catch((error: unknown) => {
          this.#context.logger.warn('health check failed', { session: shortId(run.id), error });
        }),
      ),
    );
  }

  async #check(run: AgentRun, table: ProcessTable): Promise<void> {
    if (run.identity === undefined) return;
    run.remembered = rememberDescendants(table, run.identity, run.remembered);
    const usage = measureTree(table, run.identity);
    const answer = await this.#context.redis.sessions.renew(run.ref, this.#context.config.sessionTimeoutMs, {
      status: usage.processCount > 0 ? 'alive' : 'gone',
      rss: String(usage.rssBytes),
      cpu: usage.cpuSeconds.toFixed(2),
      processes: String(usage.processCount),
    });
    if (answer.status === 'ok') this.#ends.takeState(run, answer.session);
    else if (answer.now === 'ending') void this.#ends.end(run.id);
    await keepRecord(this.#context, run);
  }
}
