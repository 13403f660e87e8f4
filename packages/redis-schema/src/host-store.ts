import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { toSchemaError } from './errors.js';
import { asList, type ScriptRunner } from './script-runner.js';
import type { EpochMs, PublishedProfile } from './types.js';

export interface HostFields {
  /** Processes that this host may run, warm ones included. */
  capacity: number;
  /** Launches at a time. */
  concurrency: number;
  version: string;
  startedAt: EpochMs;
  running: number;
  draining: boolean;
}

export interface HeartbeatAnswer {
  /** Sessions of this host that are asked to end. */
  ending: string[];
  /** Launches that are due now, for whoever has room. */
  pendingDue: number;
  /** Names of rooms that must go. */
  doomed: string[];
  /** Marks the rooms of this deployment; undefined after a loss of data. */
  deployment: string | undefined;
  epoch: EpochMs | undefined;
}

/** Machines or containers with one spawner each. */
export class HostStore {
  readonly #scripts: ScriptRunner;
  readonly #connection: Redis;
  readonly #keyPrefix: string;

  constructor(scripts: ScriptRunner, connection: Redis, keyPrefix: string) {
    this.#scripts = scripts;
    this.#connection = connection;
    this.#keyPrefix = keyPrefix;
  }

  /** Sessions that this host has claimed and that are not over. */
  async sessionsOf(host: string): Promise<string[]> {
    try {
      return await this.#connection.smembers(`${this.#keyPrefix}host:${host}:sessions`);
    } catch (error) {
      throw toSchemaError(error, 'sessionsOf');
    }
  }

  /** Publishes profiles and pool targets; answers the sessions that are this host's own, and the life of the data. */
  async register(
    host: string,
    profiles: readonly (PublishedProfile & { poolTarget: number })[],
  ): Promise<{ sessions: string[]; deployment: string; epoch: EpochMs }> {
    const answer = await this.#scripts.run('register-host', {
      host,
      deployment: randomUUID(),
      profiles: profiles.map(({ poolTarget, ...profile }) => ({
        name: profile.name,
        json: JSON.stringify(profile),
        poolTarget,
      })),
    });
    return {
      sessions: asList<string>(answer.sessions),
      deployment: String(answer.deployment),
      epoch: Number(answer.epoch),
    };
  }

  /** Says that the host lives and hears what waits for it. */
  async heartbeat(host: string, fields: HostFields): Promise<HeartbeatAnswer> {
    const answer = await this.#scripts.run('heartbeat', {
      host,
      fields: {
        capacity: String(fields.capacity),
        concurrency: String(fields.concurrency),
        version: fields.version,
        startedAt: String(fields.startedAt),
        running: String(fields.running),
        draining: fields.draining ? '1' : '0',
      },
    });
    return {
      ending: asList<string>(answer.ending),
      pendingDue: Number(answer.pendingDue),
      doomed: asList<string>(answer.doomed),
      deployment: typeof answer.deployment === 'string' ? answer.deployment : undefined,
      epoch: typeof answer.epoch === 'string' ? Number(answer.epoch) : undefined,
    };
  }

  /** The spawner leaves in order. */
  async remove(host: string): Promise<void> {
    await this.#scripts.run('remove-host', { host });
  }
}
