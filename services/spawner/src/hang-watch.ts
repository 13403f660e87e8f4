import type { AgentRun } from './agent-run.js';
import { isStopped } from './process/index.js';
import type { SpawnerContext } from './spawner-context.js';
import type { Supervisor } from './supervisor.js';

/**
 * For how long we have seen an agent so. Counted by looks, not by the clock: time that we slept through ourselves, stopped
 * or on a suspended machine, says nothing about an agent.
 */
interface Findings {
  /** Undefined while it is not stopped. */
  stoppedMs: number | undefined;
  silentMs: number;
  healthReports: number;
}

const LONGEST_PAUSE_MS = 2000;

/** Notices agents that hang: stopped, or silent on the health events that their profile promises. */
export class HangWatch {
  readonly #context: SpawnerContext;
  readonly #supervisor: Supervisor;
  readonly #findings = new WeakMap<AgentRun, Findings>();
  readonly #pauseMs: number;
  #timer: NodeJS.Timeout | undefined;
  #lookedAtMs = 0;

  constructor(context: SpawnerContext, supervisor: Supervisor) {
    this.#context = context;
    this.#supervisor = supervisor;
    const promises = [...context.profiles.values()].map((it) => it.healthTimeoutMs).filter((ms) => ms > 0);
    this.#pauseMs = Math.min(
      LONGEST_PAUSE_MS,
      ...[context.config.hungAfterMs, ...promises].map((ms) => ms / 4),
    );
  }

  open(): void {
    this.#lookedAtMs = performance.now();
    this.#timer = setInterval(() => this.#lookAtAll(), this.#pauseMs);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** One small file of /proc for each agent, read at once. */
  #lookAtAll(): void {
    const nowMs = performance.now();
    const passedMs = Math.min(nowMs - this.#lookedAtMs, this.#pauseMs);
    this.#lookedAtMs = nowMs;
    for (const run of this.#context.runs.all()) {
      if (run.phase === 'serving' && run.identity !== undefined) this.#look(run, run.identity, passedMs);
    }
  }

  #look(run: AgentRun, identity: NonNullable<AgentRun['identity']>, passedMs: number): void {
    const before = this.#findings.get(run);
    const now: Findings = {
      stoppedMs: isStopped(identity) ? countOn(before?.stoppedMs, passedMs) : undefined,
      silentMs: this.#countSilence(run, before, passedMs),
      healthReports: run.output?.healthReports ?? 0,
    };
    this.#findings.set(run, now);
    const { healthTimeoutMs } = run.profile;
    if (now.stoppedMs !== undefined && now.stoppedMs >= this.#context.config.hungAfterMs) {
      this.#supervisor.agentHangs(run, 'it is stopped');
    } else if (healthTimeoutMs > 0 && now.silentMs >= healthTimeoutMs) {
      this.#supervisor.agentHangs(run, 'it is silent on its health');
    }
  }

  /** Silence begins with our first look, after an adoption too. What waits in a file while Redis is away is no silence. */
  #countSilence(run: AgentRun, before: Findings | undefined, passedMs: number): number {
    if (before === undefined || run.output === undefined) return 0;
    if (run.output.healthReports !== before.healthReports) return 0;
    return run.output.heldUpMs() > this.#pauseMs ? before.silentMs : before.silentMs + passedMs;
  }
}

/** The first look only begins to count: it takes two to know of any time between them. */
function countOn(before: number | undefined, passedMs: number): number {
  return before === undefined ? 0 : before + passedMs;
}
