import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT, shortPath } from '../paths.mjs';
import { indent, say, SetupError } from '../ui.mjs';
import { logTail, startBackground } from './background.mjs';
import { watchTroubles } from './log-watch.mjs';

const READY_TIMEOUT_MS = 60_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
/** One that ran this long was well: the next fall starts from the first pause again. */
const CALM_MS = 60_000;

/**
 * Keeps one of our services running: started, watched, and started again with growing pauses when it dies. Agents are
 * not its children in any way that matters, so calls go on meanwhile.
 */
export class Service {
  #process;
  #stopWatching = () => {};
  #stopping = false;

  constructor({ name, env, readyUrl }) {
    Object.assign(this, { name, env, readyUrl });
  }

  /** @throws SetupError when it ends before it is ready, or is not ready in time */
  async start() {
    this.#launch();
    await this.#untilReady();
    void this.#keepRunning();
  }

  async stop(options) {
    this.#stopping = true;
    await this.#process?.stop(options);
    this.#stopWatching();
  }

  #launch() {
    this.#process = startBackground({
      name: this.name,
      command: process.execPath,
      args: [join(ROOT, `services/${this.name}/dist/main.js`)],
      env: this.env,
      record: { readyUrl: this.readyUrl },
    });
    this.#stopWatching = watchTroubles(this.#process.logFile, this.#process.logOffset, (line) =>
      say(`  [${this.name}] ${line}`),
    );
  }

  async #untilReady() {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    while (!(await answersOk(this.readyUrl))) {
      if (this.#stopping) return;
      const isAlive = this.#process.isAlive();
      if (isAlive && performance.now() < deadline) {
        await sleep(100);
        continue;
      }
      this.#stopWatching();
      const problem = isAlive
        ? `is not ready after ${READY_TIMEOUT_MS / 1_000} s`
        : `ended: ${await this.#howItEnded()}`;
      throw new SetupError(`The ${this.name} ${problem}.`, {
        tail: logTail(this.#process),
        logFile: this.#process.logFile,
        next: 'see the lines above; a wrong setting is named there',
      });
    }
  }

  async #keepRunning() {
    let pauseMs = FIRST_PAUSE_MS;
    for (;;) {
      const startedAt = performance.now();
      const how = await this.#howItEnded();
      this.#stopWatching();
      if (this.#stopping) return;
      if (performance.now() - startedAt > CALM_MS) pauseMs = FIRST_PAUSE_MS;
      say(
        `✗ The ${this.name} died: ${how}. Calls go on. Its last lines (${shortPath(this.#process.logFile)}):`,
      );
      say(indent(logTail(this.#process, 10)));
      say(`• Starting it again in ${pauseMs / 1_000} s`);
      await sleep(pauseMs);
      if (this.#stopping) return;
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      this.#launch();
      void this.#sayWhenReady(this.#process);
    }
  }

  async #sayWhenReady(process) {
    while (process.isAlive() && !(await answersOk(this.readyUrl))) await sleep(300);
    if (process.isAlive()) say(`✓ The ${this.name} is back (pid ${process.pid})`);
  }

  async #howItEnded() {
    const { code, signal, error } = await this.#process.exited;
    return error?.message ?? signal ?? `exit code ${code}`;
  }
}

async function answersOk(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
