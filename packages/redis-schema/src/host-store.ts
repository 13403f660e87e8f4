import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { DATA_SCHEMA, otherSchema } from './data-schema.js';
import { HostTakenError, toSchemaError } from './errors.js';
import { asList, type ScriptAnswer, type ScriptRunner } from './script-runner.js';
import { encodePolicy } from './policy-codec.js';
import type { OfferedProfile } from './profile-store.js';
import type { Epoch, EpochMs } from './types.js';

export interface HostFields {
  /** Processes that this host may run, warm ones included. */
  capacity: number;
  /** Launches at a time. */
  concurrency: number;
  version: string;
  startedAt: EpochMs;
  running: number;
  draining: boolean;
  /** The recovery in which this host has published all its launches. */
  published?: number | undefined;
  /** Memory that agents could still take, in bytes. */
  memoryFree?: number | undefined;
  shortOfMemory?: boolean | undefined;
  /** What the whole machine does. */
  load?: { cpuPercent: number | undefined; loadAverage: number; cores: number } | undefined;
  /** Looks for work when it is woken: launches that are best placed with it may be offered to it. */
  takesOffers?: boolean | undefined;
  /** It ends calls for their silence when it is asked to: only whoever hears them does. */
  hears?: boolean | undefined;
  /** Silence after which another host may be lost; without it this host looks after none. */
  lostAfterMs?: number | undefined;
  /** How long a caller's launch waits where no host takes launches of its profile; 0 or absent: for ever. */
  joinGraceMs?: number | undefined;
}

/** A launch on a host that has been silent for long. Whether its agent is gone too is LiveKit's to say. */
export interface SilentLaunch {
  sessionId: string;
  launch: string;
  generation: number;
  roomName: string;
  host: string;
}

/** A caller's session that has been waiting for a launch for a while. Whether its caller is still there is LiveKit's to say. */
export interface UnclaimedLaunch {
  sessionId: string;
  generation: number;
  roomName: string;
  /** Of the room as it was made last; undefined where no launch has made one. */
  roomSid?: string;
}

/** One life of a spawner, and what proves to its successor that it is over. */
export interface HostHolder {
  host: string;
  /** Random. */
  incarnation: string;
  /** Names the socket that only one process can hold; who has the same one knows that its holder before is dead. */
  lock: string;
  /** Name of the machine, for people. */
  machine: string;
}

/** Names a launch that must not run any more; its session is over, or another launch's. */
export interface KillOrder {
  sessionId: string;
  launch: string;
  generation: number;
  roomName: string;
}

export interface HeartbeatAnswer {
  /** Sessions of this host that are asked to end. */
  ending: string[];
  /** Calls of this host that are to get a new agent. */
  restarting: string[];
  /** Launches of this host that must not run any more. */
  kills: KillOrder[];
  /** Ended sessions of which nothing may stay on this host, their logs neither; some of them, if there are many. */
  forget: string[];
  /** Launches that are due now, for whoever has room. */
  pendingDue: number;
  /** Names of rooms that must go. */
  doomed: string[];
  /** Marks the rooms of this deployment; undefined after a loss of data. */
  deployment: string | undefined;
  /** undefined while the data is being recovered. */
  epoch: Epoch | undefined;
  /** Number of the recovery that is under way. */
  recovery: number | undefined;
  /** Since when an operator wants this host to take no more work. */
  drainWantedSince: EpochMs | undefined;
  /** For LiveKit to be asked about: no other host asks until its next heartbeat. */
  silent: SilentLaunch[];
  /** Likewise. */
  unclaimed: UnclaimedLaunch[];
}

/** Machines or containers with one spawner each. */
export class HostStore {
  readonly #scripts: ScriptRunner;
  readonly #connection: Redis;
  readonly #keyPrefix: string;
  readonly #holder: HostHolder | undefined;

  constructor(
    scripts: ScriptRunner,
    connection: Redis,
    options: { keyPrefix: string; holder?: HostHolder | undefined },
  ) {
    this.#scripts = scripts;
    this.#connection = connection;
    this.#keyPrefix = options.keyPrefix;
    this.#holder = options.holder;
  }

  /** Sessions that this host has claimed and that are not over. */
  async sessionsOf(host: string): Promise<string[]> {
    try {
      return await this.#connection.smembers(`${this.#keyPrefix}host:${host}:sessions`);
    } catch (error) {
      throw toSchemaError(error, 'sessionsOf');
    }
  }

  /**
   * Publishes profiles and pool targets; answers the sessions that are this host's own, and the life of the data.
   * A host without launches of its own, alone with an empty Redis, begins a new one.
   * @throws HostTakenError, RedisUnsuitableError where another version has written the data
   */
  async register(
    host: string,
    profiles: readonly OfferedProfile[],
    own: { deployment?: string | undefined; hasLaunches: boolean } = { hasLaunches: false },
  ): Promise<{
    sessions: string[];
    deployment: string;
    epoch: Epoch | undefined;
    recovery: number | undefined;
  }> {
    const answer = await this.#runAsHolder('register-host', host, {
      deployment: own.deployment ?? randomUUID(),
      hasLaunches: own.hasLaunches,
      schema: String(DATA_SCHEMA),
      profiles: profiles.map(({ poolTarget = 0, pool, version, ...profile }) => ({
        name: profile.name,
        json: JSON.stringify(profile),
        pool: encodePolicy(pool ?? { policy: { kind: 'fixed', size: poolTarget } }),
        version,
      })),
    });
    if (answer.status === 'other_schema') throw otherSchema(String(answer.schema));
    return {
      sessions: asList<string>(answer.sessions),
      deployment: String(answer.deployment),
      ...lifeOf(answer),
    };
  }

  /** Says that the host lives and hears what waits for it. @throws HostTakenError */
  async heartbeat(host: string, fields: HostFields): Promise<HeartbeatAnswer> {
    const answer = await this.#runAsHolder('heartbeat', host, {
      published: fields.published,
      lostAfterMs: fields.lostAfterMs,
      joinGraceMs: fields.joinGraceMs,
      fields: {
        capacity: String(fields.capacity),
        concurrency: String(fields.concurrency),
        version: fields.version,
        startedAt: String(fields.startedAt),
        running: String(fields.running),
        draining: fields.draining ? '1' : '0',
        shortOfMemory: fields.shortOfMemory === true ? '1' : '0',
        takesOffers: fields.takesOffers === true ? '1' : '0',
        // By the start that it was said in: an older version that follows says nothing of it.
        ...(fields.hears === true && { hears: String(fields.startedAt) }),
        ...(fields.memoryFree !== undefined && { memoryFree: String(fields.memoryFree) }),
        ...(fields.load && {
          loadAverage: String(fields.load.loadAverage),
          cores: String(fields.load.cores),
          // Empty takes back what was said last.
          cpuPercent: String(fields.load.cpuPercent ?? ''),
        }),
      },
    });
    return {
      ending: asList<string>(answer.ending),
      restarting: asList<string>(answer.restarting),
      kills: asList<KillOrder>(answer.kills),
      forget: asList<string>(answer.forget),
      pendingDue: Number(answer.pendingDue),
      doomed: asList<string>(answer.doomed),
      deployment: typeof answer.deployment === 'string' ? answer.deployment : undefined,
      drainWantedSince: typeof answer.drainWantedSince === 'number' ? answer.drainWantedSince : undefined,
      silent: asList<SilentLaunch>(answer.silent),
      unclaimed: asList<UnclaimedLaunch>(answer.unclaimed),
      ...lifeOf(answer),
    };
  }

  /** Whether the spawner that asks is the one that holds the host: only then the host's sessions are its own. */
  async isHeld(host: string): Promise<boolean> {
    if (this.#holder === undefined) return true;
    try {
      const holder = await this.#connection.hget(`${this.#keyPrefix}host:${host}`, 'incarnation');
      return holder === this.#holder.incarnation;
    } catch (error) {
      throw toSchemaError(error, 'isHeld');
    }
  }

  /** Nothing is left of the launch that an order named. */
  async clearKillOrder(host: string, { launch, roomName, sessionId }: KillOrder): Promise<void> {
    await this.#scripts.run('clear-kill-order', { host, launch, roomName, sessionId });
  }

  /**
   * This host stops: where no other takes launches, what nobody has claimed is ended.
   * @returns the rooms of what was ended, to be deleted
   */
  async endUnclaimed(host: string): Promise<string[]> {
    return asList<string>((await this.#scripts.run('end-unclaimed', { host })).rooms);
  }

  /** Nothing is left here of what the agents of these sessions printed. */
  async clearForgotten(host: string, ids: readonly string[]): Promise<void> {
    await this.#scripts.run('clear-forgotten', { host, ids });
  }

  /**
   * The spawner leaves in order: the host id is free.
   * @param hasCalls the host stays listed for a successor that is expected at once
   * @throws HostTakenError
   */
  async remove(host: string, { hasCalls }: { hasCalls: boolean }): Promise<void> {
    await this.#runAsHolder('remove-host', host, { hasCalls });
  }

  async #runAsHolder(
    name: 'register-host' | 'heartbeat' | 'remove-host',
    host: string,
    args: object,
  ): Promise<ScriptAnswer> {
    const answer = await this.#scripts.run(name, { ...args, host, holder: this.#holder });
    if (answer.status !== 'host_taken') return answer;
    const by = typeof answer.by === 'string' ? answer.by : undefined;
    const { epoch } = lifeOf(answer);
    throw new HostTakenError(host, { by, freshForMs: Number(answer.freshForMs), epoch });
  }
}

function lifeOf(answer: ScriptAnswer): { epoch: Epoch | undefined; recovery: number | undefined } {
  return {
    epoch: typeof answer.epoch === 'string' ? answer.epoch : undefined,
    recovery: typeof answer.recovery === 'number' ? answer.recovery : undefined,
  };
}

/** When a life of the data began, by the clock of Redis: what is older may be unknown to it. */
export function lifeBeganAtMs(epoch: Epoch): EpochMs {
  return Number.parseInt(epoch, 10);
}
