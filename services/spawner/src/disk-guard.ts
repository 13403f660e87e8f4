import { rm, statfs } from 'node:fs/promises';
import { deleteOldestFiles, timesFileOf } from './logs/index.js';
import type { SpawnerContext } from './spawner-context.js';

const MIB = 1024 * 1024;
const PAUSE_MS = 1000;
/** Near the mark, where an agent that prints a lot could fill the rest between two looks. */
const SHORT_PAUSE_MS = 100;

/**
 * Keeps the disk from filling up, since a full one kills every agent that prints. Below the low-water mark the oldest
 * logs go first: those of ended launches, then the consumed parts of live ones; what is not consumed yet only when half
 * of the mark is gone as well. Stops as soon as the mark is reached.
 */
export class DiskGuard {
  readonly #context: SpawnerContext;
  readonly #markBytes: number;
  #timer: NodeJS.Timeout | undefined;
  #isLow = false;
  #hasAlarmed = false;
  #isClosed = false;

  constructor(context: SpawnerContext) {
    this.#context = context;
    this.#markBytes = context.config.diskLowWaterMb * MIB;
  }

  open(): void {
    if (this.#markBytes > 0) this.#lookIn(0);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #lookIn(ms: number): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      void this.#look()
        .catch((error: unknown) => {
          this.#context.logger.warn('the disk could not be looked after', { error });
          return PAUSE_MS;
        })
        .then((pauseMs) => this.#lookIn(pauseMs));
    }, ms);
    this.#timer.unref();
  }

  /** @returns when to look again, in milliseconds */
  async #look(): Promise<number> {
    const freeBytes = await this.#freeBytes();
    if (freeBytes >= this.#markBytes) {
      if (this.#isLow) this.#context.logger.info('the disk has enough room again', { freeBytes });
      this.#isLow = false;
      this.#hasAlarmed = false;
      return freeBytes < 2 * this.#markBytes ? SHORT_PAUSE_MS : PAUSE_MS;
    }
    if (!this.#isLow) {
      const markBytes = this.#markBytes;
      this.#context.logger.warn('the disk is nearly full, agent logs are trimmed', { freeBytes, markBytes });
    }
    this.#isLow = true;
    await this.#makeRoom();
    return SHORT_PAUSE_MS;
  }

  async #makeRoom(): Promise<void> {
    const { metrics, logger } = this.#context;
    const isEnough = async (): Promise<boolean> => (await this.#freeBytes()) >= this.#markBytes;
    const deleted = await this.#deleteEndedLogs(isEnough);
    metrics.diskTrims.inc({ what: 'ended_log' }, deleted.length);
    if (deleted.length > 0) logger.warn('logs of ended agents deleted for room', { count: deleted.length });
    if (await isEnough()) return;
    await this.#giveBack('consumed');
    if ((await this.#freeBytes()) < this.#markBytes / 2) await this.#giveBack('unread');
    if ((await isEnough()) || this.#hasAlarmed) return;
    this.#hasAlarmed = true;
    logger.error('ALARM: the disk is nearly full, and agent logs have nothing more to give', {
      freeBytes: await this.#freeBytes(),
    });
  }

  async #deleteEndedLogs(isEnough: () => Promise<boolean>): Promise<readonly string[]> {
    const { runs, state } = this.#context;
    const isInUse = (file: string): boolean =>
      runs.all().some((run) => state.logFile(run.id, run.ref.generation) === file);
    const deleted = await deleteOldestFiles({ folder: state.agentLogs, suffix: '.log', isInUse, isEnough });
    for (const file of deleted) await rm(timesFileOf(file), { force: true });
    return deleted;
  }

  async #giveBack(what: 'consumed' | 'unread'): Promise<void> {
    const { runs, metrics } = this.#context;
    const outputs = runs.all().flatMap((run) => run.output ?? []);
    await Promise.all(outputs.map((output) => output.giveBack(what)));
    metrics.diskTrims.inc({ what: what === 'consumed' ? 'live_log' : 'unread_log' }, outputs.length);
  }

  async #freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#context.state.root);
    this.#context.metrics.diskFree.set(bavail * bsize);
    return bavail * bsize;
  }
}
