export { type AgentOutputBatch, type LoadRecord, type LogLine, RECENT_LINES } from './agent-store.js';
export type { CallStore } from './call-store.js';
export type * from './call-types.js';
export type { DoorbellPriority } from './doorbell.js';
export type { HostRecord } from './fleet-store.js';
export type { RedisClock } from './redis-clock.js';
export type { LineEntry } from './line-codec.js';
export {
  type AlarmRecord,
  type EventStore,
  type Followed,
  type OverviewPage,
  type SessionPage,
  type StreamMessage,
  type StreamPosition,
  type TimelinePage,
} from './event-store.js';
export { isEarlierEntry, isStreamEntryId, type StreamEntry, timeOfEntry } from './stream-entry.js';
export {
  HostTakenError,
  RedisFullError,
  RedisRecoveringError,
  RedisScriptError,
  RedisUnavailableError,
  RedisUnsuitableError,
} from './errors.js';
export type { Presence, PresenceResult, PresenceRules, SeenInRoom } from './room-store.js';
export type {
  HeartbeatAnswer,
  HostFields,
  HostHolder,
  KillOrder,
  SilentLaunch,
  UnclaimedLaunch,
} from './host-store.js';
export { StartTimes } from './start-times.js';
export type { StatsBucket, StatsSeries, StatsWindow } from './stats-store.js';
export { type OpenOptions, openRedis, type RedisSchema } from './open-redis.js';
export { lifeBeganAtMs } from './host-store.js';
export { encodeSession, parseLaunches, parseSession } from './session-codec.js';
export type { LogPart, LogQuestion } from './host-questions.js';
export type {
  ClaimResult,
  EndArguments,
  EndManyArguments,
  EndManyResult,
  EndResult,
  FailResult,
  LaunchRef,
  ListFilter,
  ListPage,
  MoveResult,
  ReadResult,
  RestartCause,
  RestartRequestResult,
  RestartResult,
  Superseded,
} from './sessions/index.js';
export type * from './sessions/start-types.js';
export { MAX_TURNS_KEPT } from './history-types.js';
export type * from './history-types.js';
export type * from './pool-types.js';
export type * from './session-types.js';
export type * from './types.js';
export type { HealthCounts } from './health-store.js';
export type { OfferedProfile, PublishedProfile } from './profile-store.js';
