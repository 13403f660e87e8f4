import type { EndReason } from './end-reason.js';
import type {
  AdminSessionView,
  BreakerView,
  HostLoad,
  HostView,
  LineObstacle,
  PoolView,
  SessionView,
} from './http.js';
import type { AlarmView, LineEntryView } from './operator-views.js';
import type { SessionState } from './session-state.js';

/**
 * GET /api/session/:id/events: what the `data` of each server-sent event is, by the event's name. Times are ISO 8601 in
 * UTC, durations milliseconds. Fields and events may be added: a reader leaves aside what it does not know.
 */
export interface SessionStreamEvents {
  /**
   * The session as it is now: at first, and wherever nobody can tell what the reader has missed. Admins get an
   * `AdminSessionView`.
   */
  snapshot: SessionView;
  state: SessionStateEvent;
  /** Its turn in line brought a warm agent, and the session goes on under that agent's id; a snapshot of it follows. */
  promoted: { sessionId: string; at: string };
  agent: AgentStreamEvent;
  transcript: TranscriptStreamEvent;
  dead_air: DeadAirStreamEvent;
  listener: ListenerStreamEvent;
  /** The last one: the stream closes, and reading on answers 204. */
  ended: SessionEndedEvent;
}

/** The session took a step. */
export interface SessionStateEvent {
  sessionId: string;
  status: SessionState;
  at: string;
  /** In line: from 1, and the expected wait. */
  position?: number;
  estimatedWait?: string;
  estimatedWaitMs?: number;
  blockedBy?: LineObstacle;
  /** From the launch of the agent until it was ready. */
  startupTime?: number;
  /** Agents of this call that had to be replaced. */
  restarts?: number;
  endReason?: EndReason;
  /** Why the start failed, in a sentence. */
  error?: string;
  /** For admins, who see every step, also those that change no status: its name, and what it noted. */
  step?: string;
  detail?: Record<string, unknown>;
}

/** The agent reports, in the words of the agent contract. */
export interface AgentStreamEvent {
  sessionId: string;
  at: string;
  /** `agent_speaking` or `user_speaking`, with `active`. Admins also see the others, with what they carry. */
  kind: string;
  active?: boolean;
  [detail: string]: unknown;
}

/** Something was said. Medical: it is never in the stream of all. */
export interface TranscriptStreamEvent {
  sessionId: string;
  at: string;
  role: 'user' | 'agent';
  text: string;
  /** Without it, the words may still change. */
  final: boolean;
}

/** Something became of the silence in a call. What was said is not in it. */
export interface DeadAirStreamEvent {
  sessionId: string;
  at: string;
  /**
   * `call_started`, `checkin`, `not_said`, `caller_back`, `hold_on`, `agent_frozen`, `transfer_failed`, `goodbye`, `apology`, `call_ending`, `settings_changed`
   * and others: a reader leaves aside what it does not know. Those that are spoken are followed by the same with `_spoken`.
   */
  step: string;
  /** What it noted: the number of a question, the reason of an end. */
  [detail: string]: unknown;
}

/** An operator listens in from now on. The agent has said so. */
export interface ListenerStreamEvent {
  sessionId: string;
  at: string;
  /** The participant that listens; for admins. */
  identity?: string;
}

export interface SessionEndedEvent {
  sessionId: string;
  endReason: EndReason;
  endedAt: string;
  durationMs: number;
}

/** GET /api/sessions/events: the same for the stream of everything. */
export interface AllStreamEvents {
  snapshot: OverviewView;
  session: SessionStepEvent;
  pool: PoolStreamEvent;
  host: HostStreamEvent;
  load: LoadStreamEvent;
  line: LineStreamEvent;
  alarm: AlarmStreamEvent;
  source: SourceStreamEvent;
}

export interface OverviewView {
  /** The data was lost and is being recovered: what is not here may come back. Another snapshot follows. */
  recovering: boolean;
  /** Newest first, without metadata and last lines. */
  sessions: AdminSessionView[];
  /** There are more sessions than are listed. */
  isCut: boolean;
  pools: PoolView[];
  hosts: HostView[];
  /** Who waits, at most the first 1,000. An api of the version before has neither. */
  line?: LineEntryView[];
  alarms?: AlarmView[];
}

/** A session took a step; `gone` is its end, with its reason in `detail`. */
export interface SessionStepEvent {
  sessionId: string;
  step: string;
  status: SessionState;
  at: string;
  profile: string;
  /** Whether it is a warm agent that belongs to nobody. */
  warm: boolean;
  userId?: string;
  userName?: string;
  host?: string;
  detail?: Record<string, unknown>;
}

/** A pool has other counts, or another target. */
export interface PoolStreamEvent {
  profile: string;
  at: string;
  target: number;
  ready: number;
  warming: number;
  /** As `PoolView` has them. */
  starts?: number;
  warmStarts?: number;
  /** Absent while all is well. */
  breaker?: BreakerView;
}

/**
 * A host has another state (`removed`: its spawner left in order), other counts, or works more or less. All but the state comes
 * with its heartbeats, every 5 s, where something of it has changed.
 */
export interface HostStreamEvent {
  host: string;
  at: string;
  state: HostView['state'] | 'removed';
  /** As `HostView` has them. */
  capacity?: number;
  running?: number;
  calls?: number;
  warm?: number;
  starting?: number;
  killsLeft?: number;
  load?: HostLoad | null;
  memory?: HostView['memory'];
}

/** A health check has measured what a session's agent uses, with all that it has started. */
export interface LoadStreamEvent {
  sessionId: string;
  at: string;
  profile: string;
  host: string;
  /** Of one core, since the health check before: 200 is two cores. */
  cpuPercent: number;
  memoryBytes: number;
}

/** Somebody has come to the waiting line, or has left it. */
export interface LineStreamEvent {
  at: string;
  waiting: number;
  /** At most the first 100. */
  line: LineEntryView[];
}

/**
 * Redis cannot be asked: what was told before may not be so any more. Or it can again, and what was missed follows. It has no
 * id, and whoever reads on gets none that are over.
 */
export interface SourceStreamEvent {
  at: string;
  isAway: boolean;
  /** When it answered last. */
  answeredAt: string;
}

/** An alarm was raised, or is over; `at` is when. */
export interface AlarmStreamEvent extends AlarmView {
  isOver: boolean;
}
