import type { DoorbellJob } from '@greenroom/contracts';
import { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { toSchemaError } from './errors.js';
import { withLimit } from './wake-bus.js';

const QUEUE = 'spawn';

/** BullMQ serves lower numbers first. */
const PRIORITY = { caller: 1, pool: 10 } as const;

export type DoorbellPriority = keyof typeof PRIORITY;

/**
 * A BullMQ queue whose jobs say only "look at spawn:pending". BullMQ shares them out among the spawners, callers before
 * pool refills. A job that is lost, doubled or late changes nothing, so none is kept and none is tried again.
 */
export class Doorbell {
  /** For a page that shows it, and for nothing else. */
  readonly queue: Queue<DoorbellJob>;
  readonly #connectWorker: () => Redis;
  readonly #prefix: string;
  readonly #limitMs: number;
  readonly #onError: (error: Error) => void;

  constructor(options: {
    producer: Redis;
    connectWorker: () => Redis;
    keyPrefix: string;
    limitMs: number;
    onError: (error: Error) => void;
  }) {
    this.#prefix = `${options.keyPrefix}bull`;
    this.#limitMs = options.limitMs;
    this.#onError = options.onError;
    this.#connectWorker = options.connectWorker;
    this.queue = new Queue(QUEUE, { connection: options.producer, prefix: this.#prefix });
    this.queue.on('error', options.onError);
  }

  /** @throws RedisUnavailableError when the job is not confirmed in time; spawn:pending holds the truth anyway */
  async ring(profile: string, options: { priority: DoorbellPriority; count?: number }): Promise<void> {
    const jobs = Array.from({ length: options.count ?? 1 }, () => ({
      name: 'ring',
      data: { profile },
      opts: { priority: PRIORITY[options.priority], attempts: 1, removeOnComplete: true, removeOnFail: true },
    }));
    try {
      await withLimit(this.queue.addBulk(jobs), this.#limitMs, 'doorbell');
    } catch (error) {
      throw toSchemaError(error, 'doorbell');
    }
  }

  /** Calls `onRing` for each job, at most `concurrency` at a time, until the returned function is called. */
  listen(onRing: (job: DoorbellJob) => Promise<void>, concurrency: number): () => Promise<void> {
    const connection = this.#connectWorker();
    const worker = new Worker<DoorbellJob>(QUEUE, (job) => onRing(job.data), {
      connection,
      prefix: this.#prefix,
      concurrency,
    });
    worker.on('error', this.#onError);
    return async () => {
      await worker.close(true);
      connection.disconnect();
    };
  }

  async close(): Promise<void> {
    await this.queue.close();
  }
}
