import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { AgentStore } from './agent-store.js';
import { CallStore } from './call-store.js';
import { checkServer, connect, type ConnectionRole } from './connection.js';
import { checkDataSchema } from './data-schema.js';
import { Doorbell } from './doorbell.js';
import { toSchemaError } from './errors.js';
import { EventStore } from './event-store.js';
import { FleetStore } from './fleet-store.js';
import { HashReader } from './hash-reader.js';
import { HealthStore } from './health-store.js';
import { HistoryStore } from './history-store.js';
import { HostQuestions } from './host-questions.js';
import { type HostHolder, HostStore } from './host-store.js';
import { PoolStore } from './pool-store.js';
import { RedisClock } from './redis-clock.js';
import { ProfileStore } from './profile-store.js';
import { RoomStore } from './room-store.js';
import { ScriptRunner } from './script-runner.js';
import { createSessionStore, type SessionStore } from './sessions/index.js';
import { StatsStore } from './stats-store.js';
import type { Retention } from './history-types.js';
import type { DataLife } from './types.js';
import { WakeBus, withLimit } from './wake-bus.js';

export interface OpenOptions {
  url: string;
  /** Put in front of every key; default none. */
  keyPrefix?: string;
  /** Shown by CLIENT LIST. */
  clientName: string;
  /** Longest wait for one answer. Milliseconds; default 800. */
  commandTimeoutMs?: number;
  /** The spawner that speaks, where one does: it may only speak for a host that it holds. */
  holder?: HostHolder;
  /** For tests: every step also appends what it has changed to the stream `trace`. Default false. */
  traceSteps?: boolean;
  /** How long what is kept of ended sessions is kept. */
  retention?: Retention;
  /** Called for every connection error; ioredis reconnects by itself. */
  onError?: (error: Error) => void;
  /** Called with the key of what is skipped because it cannot be read: this version cannot have written it like that. */
  onUnreadable?: (key: string) => void;
}

/** The one door to Redis: a store for each resource, over connections kept apart by role. */
export interface RedisSchema {
  sessions: SessionStore;
  pools: PoolStore;
  hosts: HostStore & Pick<HostQuestions, 'askProcesses' | 'askLog'>;
  fleet: FleetStore;
  questions: HostQuestions;
  agents: AgentStore;
  events: EventStore;
  rooms: RoomStore;
  profiles: ProfileStore;
  health: HealthStore;
  stats: StatsStore;
  history: HistoryStore;
  calls: CallStore;
  doorbell: Doorbell;
  bus: WakeBus;
  clock: RedisClock;
  /** The raw command that rate-limit-redis needs. */
  limiterCall(...args: string[]): Promise<unknown>;
  /** For a spawner: names the life of the data that knows all its launches; undefined while none does. */
  enterLife(life: DataLife | undefined): void;
  /** @throws RedisUnavailableError when there is no answer in time */
  ping(): Promise<void>;
  /** Resolves once connected. @throws RedisUnavailableError when that takes longer. */
  connected(limitMs: number): Promise<void>;
  /** @throws RedisUnsuitableError when the server is one that we can never use, RedisUnavailableError when it is away */
  check(): Promise<void>;
  close(): Promise<void>;
}

const COMMAND_TIMEOUT_MS = 800;

/** Connects in the background; a Redis that is down makes calls fail, never this one. */
export function openRedis(options: OpenOptions): RedisSchema {
  const keyPrefix = options.keyPrefix ?? '';
  const limitMs = options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS;
  const onError = options.onError ?? (() => undefined);
  const open = (role: ConnectionRole): Redis =>
    connect({ url: options.url, clientName: options.clientName, role, commandTimeoutMs: limitMs, onError });

  const commands = open('commands');
  const producer = open('producer');
  const subscriber = open('subscriber');
  const clock = new RedisClock();
  clock.follow(commands);
  const scripts = new ScriptRunner(commands, keyPrefix, clock, {
    traced: options.traceSteps ?? false,
    retention: options.retention,
  });
  const hashes = new HashReader(commands, keyPrefix);
  const bus = new WakeBus(subscriber, commands, keyPrefix, limitMs);
  const questions = new HostQuestions(bus);
  const doorbell = new Doorbell({
    producer,
    connectWorker: () => open('worker'),
    keyPrefix,
    limitMs,
    onError,
  });

  return {
    sessions: createSessionStore(scripts, hashes, { clock, limitMs, holder: options.holder }),
    pools: new PoolStore(scripts),
    hosts: Object.assign(new HostStore(scripts, commands, { keyPrefix, holder: options.holder }), {
      askProcesses: questions.askProcesses.bind(questions),
      askLog: questions.askLog.bind(questions),
    }),
    fleet: new FleetStore(scripts),
    questions,
    agents: new AgentStore(scripts, commands, bus, keyPrefix),
    events: new EventStore(scripts, bus),
    rooms: new RoomStore(scripts),
    profiles: new ProfileStore(scripts),
    health: new HealthStore(scripts),
    stats: new StatsStore(scripts),
    history: new HistoryStore(scripts, commands, {
      keyPrefix,
      onUnreadable: options.onUnreadable ?? (() => undefined),
    }),
    calls: new CallStore(scripts, commands, {
      keyPrefix,
      onUnreadable: options.onUnreadable ?? (() => undefined),
    }),
    doorbell,
    bus,
    clock,
    async limiterCall(...args) {
      const [command, ...rest] = args;
      try {
        return await commands.call(command ?? '', ...rest);
      } catch (error) {
        throw toSchemaError(error, 'rate limiter');
      }
    },
    enterLife: (life) => scripts.enterLife(life),
    async ping() {
      try {
        await commands.ping();
      } catch (error) {
        throw toSchemaError(error, 'ping');
      }
    },
    async connected(limitMs) {
      if (commands.status === 'ready') return;
      await withLimit(once(commands, 'ready'), limitMs, 'connect');
    },
    async check() {
      try {
        await checkServer(commands);
        await checkDataSchema(commands, keyPrefix);
      } catch (error) {
        throw toSchemaError(error, 'check');
      }
    },
    async close() {
      bus.close();
      await doorbell.close().catch(onError);
      for (const connection of [commands, producer, subscriber]) connection.disconnect();
    },
  };
}
