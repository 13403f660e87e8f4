import type { Epoch, RedisSchema } from '@greenroom/redis-schema';
import type { Logger } from '@greenroom/service-kit';
import type { RunRegistry } from './agent-run.js';
import type { Profile } from './agents/profile.js';
import type { CallFeed } from './calls/call-feed.js';
import type { SpawnerConfig } from './config.js';
import type { Faults } from './faults.js';
import type { HostMemory } from './host-memory.js';
import type { SpawnerMetrics } from './metrics.js';
import type { RoomService } from './rooms/room-service.js';
import type { StateDir } from './state-dir.js';

/** What every part of the spawner works with; put together in main.ts and nowhere else. */
export interface SpawnerContext {
  readonly config: SpawnerConfig;
  readonly version: string;
  readonly logger: Logger;
  readonly redis: RedisSchema;
  readonly rooms: RoomService;
  readonly memory: HostMemory;
  readonly state: StateDir;
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly runs: RunRegistry;
  /** Hears for whether anybody speaks in the calls of this host. */
  readonly calls: CallFeed;
  /** Where launches get cgroups of their own; undefined where none can be made. */
  readonly cgroupRoot: string | undefined;
  readonly metrics: SpawnerMetrics;
  /** Where tests let this process die. */
  readonly faults: Faults;
  /** Marks our rooms; set when the host has registered. */
  deployment: string | undefined;
  /** The life of Redis's data that knows all our launches. Another one says nothing about our sessions. */
  epoch: Epoch | undefined;
  /** Sessions whose launch records cannot be understood: nothing of theirs is taken for stale. */
  readonly leftAlone: Set<string>;
  /** Aborted when this process leaves: background retries stop, processes stay. */
  readonly leaving: AbortSignal;
}

/** The part of a session id that may stand in a log: whoever holds the whole may end the call. */
export function shortId(sessionId: string): string {
  return `${sessionId.slice(0, sessionId.indexOf('_') + 1)}…${sessionId.slice(-6)}`;
}
