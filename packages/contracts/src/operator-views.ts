import type { EndReason } from './end-reason.js';
import type { LineObstacle } from './http.js';
import type { SessionState } from './session-state.js';

/** One caller in the waiting line: GET /api/line and the stream of all. */
export interface LineEntryView {
  sessionId: string;
  /** From 1. */
  position: number;
  profile: string;
  userId: string | null;
  queuedAt: string;
  /** Nobody who waits for this kind of agent can be served before that is over. */
  blockedBy?: LineObstacle;
}

/** GET /api/line. */
export interface LineView {
  success: true;
  /** All of them; `line` has at most the first 1,000. */
  waiting: number;
  line: LineEntryView[];
}

/** Something of a session that is over could not be removed. It stays visible until it is. */
export interface AlarmView {
  sessionId: string;
  profile: string;
  /** `kill_failed`: processes survived SIGKILL. */
  alarm: string;
  host: string | null;
  /** Since when. */
  at: string;
}

/** Which live sessions; all that is named must be so. */
export interface SessionFilter {
  status?: Exclude<SessionState, 'gone'>;
  userId?: string;
  profile?: string;
  host?: string;
  /** Since they got their caller, or were made where they have none. */
  olderThanMs?: number;
  /** Part of its id, its user's id or name, in any case. */
  search?: string;
}

/** Body of POST /api/sessions/end. */
export interface EndSessionsRequest {
  filter?: SessionFilter;
  /** Without a filter: every session there is. */
  all?: boolean;
  /** Counts, and ends none. */
  dryRun?: boolean;
  /** At most 500 characters; kept with each. */
  reason?: string;
  /** Their processes get no time to leave. */
  immediately?: boolean;
}

/** 202 of POST /api/sessions/end. */
export interface EndSessionsResponse {
  success: true;
  /** Sessions that match and were not ending already. */
  matched: number;
  /** Of these, whose end has begun now: 0 for a dry run. */
  asked: number;
  dryRun: boolean;
}

/** Body of POST /api/session/end. */
export interface EndSessionRequest {
  sessionId: string;
  reason?: string;
  /** Admins only: its processes get no time to leave, also where its end has begun already. */
  immediately?: boolean;
}

/** Milliseconds from the question to a ready agent; 0 for a warm one. Exact to 5 %. */
export interface StartTimes {
  p50: number;
  p95: number;
  p99: number;
}

/** What is counted, in one interval or in all of them together. */
export interface StatsCounts {
  /** Callers who got a session or a place in line. */
  starts: number;
  /** Of these, who got a warm agent at once. */
  warmStarts: number;
  /** Callers' sessions whose start failed for good. */
  failed: number;
  /** Callers' sessions that are over, for whatever reason; those that failed, too. */
  ended: number;
  /** Starts that failed for good, and agents that crashed, hung or took too much; warm agents, too. */
  errors: number;
  /** null where no agent got ready for a caller. */
  startMs: StartTimes | null;
}

export interface StatsPoint extends StatsCounts {
  /** When the interval begins. */
  at: string;
  /** Most callers at once; null where no host was heard. */
  callers: number | null;
  /** Largest MAX_SESSIONS that held; null where no api was heard. */
  capacity: number | null;
}

/** GET /api/stats: oldest first, without a gap; the last interval is not over yet. */
export interface StatsView {
  success: true;
  window: 'hour' | 'day';
  from: string;
  to: string;
  /** Length of one interval: a minute of the hour, a quarter of an hour of the day. */
  stepMs: number;
  points: StatsPoint[];
  totals: StatsCounts & {
    /** Share of starts that got a warm agent at once, 0 to 1; null without any start. */
    hitRate: number | null;
    endReasons: Partial<Record<EndReason, number>>;
  };
}
