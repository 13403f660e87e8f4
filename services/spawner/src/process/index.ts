/**
 * The only place that starts or signals processes. In the order of a process's life:
 * launch behind a gate, keep on record, watch, survey, stop.
 */

export {
  type AgentLimits,
  keepersOf,
  type LimitKeepers,
  prepareLimits,
  ranOutOfMemory,
} from './agent-limits.js';
export { awaitAdoptedExit, type WatchOptions } from './await-exit.js';
export { findCgroupRoot } from './cgroup.js';
export { type Companion, type CompanionHandlers, startCompanion } from './companion.js';
export { dieNow } from './die.js';
export { UnsafeTargetError } from './guard.js';
export {
  checkIdentity,
  type IdentityState,
  type ProcessIdentity,
  type ProcessRef,
  readIdentity,
  readSurroundings,
} from './identity.js';
export {
  GATE_EXIT_CODE,
  type GatedLaunch,
  type LaunchRequest,
  openGate,
  type ProcessExit,
} from './launch.js';
export { isStopped } from './is-stopped.js';
export { LaunchError, type LaunchErrorCode } from './launch-error.js';
export {
  clearDrafts,
  deleteLaunchRecord,
  isUnreadable,
  LAUNCH_RECORD_SCHEMA,
  type LaunchPhase,
  type LaunchRecord,
  listLaunchRecords,
  type RecordList,
  readLaunchRecord,
  type UnreadableRecord,
  writeLaunchRecord,
} from './launch-record.js';
export { probeHunting } from './probe.js';
export { countTasks } from './proc-files.js';
export { type ProcessEntry, type ProcessTable, scanProcesses } from './scan.js';
export { freezeTree, type StopOutcome, type StopRequest, type StopResult, stopTree } from './stop.js';
export {
  type AgentProcesses,
  countZombieOrphans,
  measureTree,
  measureTreeFairly,
  rememberDescendants,
  surveyAgent,
  type TreeUsage,
  withLaunchCookie,
} from './survey.js';
export { descendantsOf, findTree, membersOfGroup, membersOfLaunch } from './tree.js';
