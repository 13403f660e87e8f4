import type { DeadAirSettings } from './dead-air-settings.js';
import type { EndedBy, EndReason } from './end-reason.js';
import type { ErrorCode } from './errors.js';
import type { PoolPolicy } from './pool-policy.js';
import type { SessionState } from './session-state.js';

/** Body of POST /api/session/start. */
export interface StartRequest {
  userId?: string;
  userName?: string;
  voiceId?: string;
  profile?: string;
  metadata?: Record<string, unknown>;
  /** Only of use to an open client that wants its own live session back. */
  sessionId?: string;
}

interface StartedBase {
  success: true;
  sessionId: string;
  message: string;
}

/** How a caller gets into the room. The token is good for this room only. */
export interface JoinDetails {
  roomName: string;
  livekitUrl: string;
  token: string;
}

/** 200: a warm agent is in the room already, or the caller's own live session was ready. */
export interface StartedReady extends StartedBase, JoinDetails {
  status: 'ready';
  prewarmed: boolean;
  /** How long the request took, for people: `"12 ms"`, `"1.8 s"`. */
  latency: string;
}

/** 202: an agent is being started. The caller may join at once. */
export interface StartedCold extends StartedBase, JoinDetails {
  status: 'starting' | 'restarting';
  prewarmed: boolean;
  taskId: string;
  estimatedWait: string;
  /** Milliseconds, from measured start times. */
  estimatedWaitMs: number;
}

/** 202: beyond capacity, in line; room and token come with its turn. */
export interface StartedQueued extends StartedBase {
  status: 'queued';
  prewarmed: false;
  position: number;
  estimatedWait: string;
  estimatedWaitMs: number;
  blockedBy?: LineObstacle;
}

export type StartResponse = StartedReady | StartedCold | StartedQueued;

/** What keeps everybody in line for a kind of agent from being served: the error that a start of it would get now. */
export const LINE_OBSTACLES = ['no_host', 'profile_failing'] as const satisfies readonly ErrorCode[];
export type LineObstacle = (typeof LINE_OBSTACLES)[number];

/** GET /api/session/:id. Times are ISO 8601 in UTC, durations are milliseconds. */
export interface SessionView {
  sessionId: string;
  status: Exclude<SessionState, 'gone'>;
  userId: string | null;
  userName: string | null;
  voiceId: string | null;
  profile: string;
  prewarmed: boolean;
  /** null while it waits in line. */
  roomName: string | null;
  createdAt: string;
  readyAt: string | null;
  /** From the launch of the agent until it was ready. */
  startupTime: number | null;
  restarts: number;
  /** Place in line, from 1; only while it waits there. */
  position?: number;
  estimatedWait?: string;
  /** Milliseconds until its agent is there, measured; to who asks for this very session. */
  estimatedWaitMs?: number;
  /** In line: nobody who waits for this kind of agent can be served before that is over. */
  blockedBy?: LineObstacle;
  /** The id that was given in line, where the turn brought a warm agent: it goes on leading here. */
  queuedAs?: string;
  /** Why a start failed or a session is ending, in a sentence. */
  error?: string;
  endReason?: EndReason;
}

/** How silence is treated in a session. */
export interface DeadAirView {
  /** What holds, with nothing left open; `max_call_duration` of phone calls only. */
  settings: DeadAirSettings;
  /** What its profile says of it. */
  profile: DeadAirSettings;
  /** Settings of this session that its profile does not say. */
  changed: (keyof DeadAirSettings)[];
}

/** What an admin sees on top. */
export interface AdminSessionView extends SessionView {
  host: string | null;
  agentPid: number | null;
  agentPgid: number | null;
  generation: number;
  logFile: string | null;
  assignedAt: string | null;
  /** When a caller was first in the room. */
  callerJoinedAt: string | null;
  /** Since when the caller is missed. */
  callerLeftAt?: string;
  deadlineAt: string | null;
  attempts: number;
  /**
   * What its agent uses, with all that it has started, as of the last health check; absent before there was one. CPU is of
   * one core: 200 is two cores.
   */
  cpuPercent?: number;
  memoryBytes?: number;
  measuredAt?: string;
  alarm?: string;
  /** Last lines of the agent that failed to start. */
  lastLines?: string[];
  metadata?: unknown;
  /** GET /api/session/:id only; absent where nobody watches for silence. */
  deadAir?: DeadAirView;
}

/** One entry of GET /api/sessions?history=1, and GET /api/session/:id/history: a caller's session that is over. */
export interface EndedSessionView {
  sessionId: string;
  status: 'gone';
  /** Null in all that says who it was, once the user was forgotten. */
  userId: string | null;
  /** Whose user: `open`, `admin`, or the mark of a client key; equal user ids of different keys are different users. */
  scope: string | null;
  userName: string | null;
  voiceId: string | null;
  metadata?: unknown;
  profile: string;
  /** Whether the agent was warm already when the caller came. */
  prewarmed: boolean;
  restarts: number;
  endReason: EndReason;
  endedBy: EndedBy | null;
  /** What was said with the request to end it. */
  endDetail: string | null;
  /** Why no agent could be started. */
  error: string | null;
  timeline: SessionTimeline;
  durations: SessionDurations;
  /** What became of silence in the call, oldest first; at most the last 50. */
  deadAir: { step: string; at: string }[];
  /** When operators began to listen in; at most the last 50. */
  listenedAt: string[];
  /** Each launch of an agent and its host, oldest first. */
  launches: { generation: number; host: string }[];
  /** The most memory that was seen of its agent with all that it started; null where nobody looked in time. */
  peakMemoryBytes: number | null;
  /** CPU time of all its agents, as far as it was seen. */
  cpuSeconds: number | null;
  /** What the agent printed at last. */
  lastLines: string[];
  forgotten: boolean;
}

/** ISO times; null for what did not happen, or what nobody reported. A warm agent was spawned and ready before it was asked for. */
export interface SessionTimeline {
  askedAt: string | null;
  queuedAt: string | null;
  spawnedAt: string | null;
  readyAt: string | null;
  joinedAt: string | null;
  /** The agent's first `agent_speaking`. */
  firstAudioAt: string | null;
  endRequestedAt: string | null;
  endedAt: string;
}

/** Milliseconds; null where the timeline lacks one of the two. */
export interface SessionDurations {
  /** From the question to a ready agent; 0 for a warm one. */
  untilReadyMs: number | null;
  untilJoinedMs: number | null;
  untilFirstAudioMs: number | null;
  /** From the wish to end it until nothing was left. */
  endingMs: number | null;
  /** From the question to the end. */
  totalMs: number | null;
}

/** GET /api/health. `ready`, `starting` and `capacity` count callers, `warming` and `pool` warm agents. */
export interface HealthView {
  success: boolean;
  status: 'healthy' | 'degraded' | 'unhealthy';
  /** Of this api. */
  version?: string;
  sessions: { ready: number; starting: number; pool: number; warming: number; queued: number };
  stats: {
    totalSpawned: number;
    totalAssigned: number;
    totalReady: number;
    totalEnded: number;
    totalFailed: number;
  };
  capacity: { current: number; max: number; available: number };
  /** Only where there are any: starts of these fail fast. */
  failingProfiles?: string[];
  dependencies: {
    redis: DependencyStatus;
    livekit: DependencyStatus;
    spawners: DependencyStatus & { count: number };
  };
}

export interface DependencyStatus {
  status: 'up' | 'down';
  /** Milliseconds of the last look. */
  latencyMs?: number;
  detail?: string;
}

/** One pool, as GET /api/pool shows it. */
export interface PoolView {
  profile: string;
  /** How many there should be now. */
  target: number;
  ready: number;
  warming: number;
  policy: PoolPolicy;
  /** What the target was worked out from, in a sentence. */
  why: string;
  /** Live calls of the profile; where the policy looks at them. */
  callers?: number;
  /** Measured; where the policy looks at it. */
  arrivalsPerMinute?: number;
  /** Measured: milliseconds from listing a warm agent to having it; where the policy looks at it. */
  replaceMs?: number;
  /** Until when the schedule says what it says. */
  scheduledUntil?: string;
  /** New sessions so far, and those of them that got a warm agent. */
  starts: number;
  warmStarts: number;
  /** Only while its agents fail to start, again and again. */
  breaker?: BreakerView;
}

/** Why starts of a profile fail fast. */
export interface BreakerView {
  /** `probing`: one launch shows whether it goes well again. */
  status: 'open' | 'probing';
  /** Launches that failed in a row. */
  failures: number;
  /** What the last one failed of. */
  reason: string;
  /** When the next probe may go. */
  openUntil: string;
}

/** One host, as GET /api/hosts shows it. */
export interface HostView {
  host: string;
  /** `unreachable`: not heard for 15 s. `lost`: given up, and its calls were moved or ended. */
  state: 'up' | 'draining' | 'unreachable' | 'lost';
  version: string | null;
  /** Processes that it may run, and has. */
  capacity: number;
  running: number;
  /** Of these, callers' and warm ones, and those of both whose agent is not ready yet. */
  calls: number;
  warm: number;
  starting: number;
  /** Launches on it that must not run any more. */
  killsLeft: number;
  memory: { freeBytes: number | null; isShort: boolean };
  /** As of its last heartbeat; null where it does not say. */
  load?: HostLoad | null;
  startedAt: string | null;
  lastSeenAt: string | null;
  drain: { since: string | null; callsLeft: number } | null;
}

/** What a whole machine does. */
export interface HostLoad {
  /** Of all its cores together, 0 to 100, since the heartbeat before. */
  cpuPercent: number | null;
  /** Of the last minute, as the kernel counts it; compare it with `cores`. */
  loadAverage: number;
  cores: number;
}

/** One kind of agent, as clients see it. */
export interface ProfileView {
  name: string;
  description?: string;
  voices: { id: string; name: string }[];
}

/** GET /api/debug/session/:id/processes; snake_case because existing scripts read it so. */
export interface ProcessSurvey {
  session_id: string;
  pid: number | null;
  pgid: number | null;
  is_group_leader: boolean;
  is_process_alive: boolean;
  is_group_alive: boolean;
  /** The whole tree, leader included. */
  child_processes: { pid: number; ppid: number; pgid: number; cmd: string }[];
  session_data: Record<string, string>;
  /** What it may use, and who sees to it: the kernel (`cgroup`), our own `watch`, or `none`. */
  limits?: {
    memory_bytes: number | null;
    memory_by: 'cgroup' | 'watch' | 'none';
    processes: number | null;
    processes_by: 'cgroup' | 'watch' | 'none';
  };
  errors: string[];
}

/** problem+json (RFC 9457) with our additions. */
export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  requestId: string;
  success: false;
}

/** Queue payload of a doorbell: it only makes a spawner look at spawn:pending sooner. */
export interface DoorbellJob {
  profile: string;
}
