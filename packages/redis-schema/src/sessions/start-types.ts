import type { LineObstacle } from '@greenroom/contracts';
import type { SessionRecord } from '../session-types.js';
import type { EpochMs } from '../types.js';
import type { ReadResult } from './reading.js';

export interface StartArguments {
  /** A fresh `session_…` id, used if no warm agent is free. */
  sessionId: string;
  roomName: string;
  profile: string;
  /** The caller named no profile: one that it had before will do as well. */
  anyProfile?: boolean | undefined;
  userId?: string | undefined;
  userName?: string | undefined;
  voiceId?: string | undefined;
  metadata?: string | undefined;
  /** Separates equal user ids of different clients; empty for open clients. Has no `:`. */
  userScope: string;
  /** A userId of a keyed client or an admin is trusted: it gets its live session back. */
  trusted: boolean;
  /** The live session that an untrusted user says is its own. */
  claimedSessionId?: string | undefined;
  idempotency?: { scope: string; key: string; bodyHash: string } | undefined;
  maxSessions: number;
  /** When the api that says so was started, as in `LookOfApi`; undefined is how an earlier version speaks. */
  since: EpochMs | undefined;
  /** Callers that may wait in line beyond that; 0 when it is absent. */
  queueMax?: number | undefined;
  /** Who asks, as far as clients are told apart: each is served in turn. */
  client?: string | undefined;
  /** Sessions that one client may have at once, those in line included; no limit when it is 0 or absent. */
  maxPerClient?: number | undefined;
  /** Life of the session from now on. */
  sessionTimeoutMs: number;
}

/** A session that waits for its turn; it has neither a room nor an agent. */
export interface InLine {
  session: SessionRecord;
  /** From 1. */
  position: number;
  /** Until its agent is there, measured. */
  estimatedWaitMs: number;
  /** Nobody who waits for this profile can be served before that is over. */
  blockedBy: LineObstacle | undefined;
}

/** What an api says with each of its looks at the line. */
export interface LookOfApi {
  maxSessions?: number;
  /** When it was started, by the clock of Redis: of different MAX_SESSIONS the one holds that was said by the youngest. */
  since?: EpochMs | undefined;
  /** It had to refuse somebody who asked. */
  unheard?: boolean;
}

export interface LineSummary {
  queued: number;
  /** Until the turn of who stands at the end of the line. */
  expectedTurnMs: number;
  /** Turns since the data began, and the sum of what was waited for them. */
  served: number;
  waitedMs: number;
  /** Those who stopped asking. */
  abandoned: number;
  /** What holds for all apis. */
  maxSessions: number | undefined;
}

export type AskResult = ({ status: 'queued' } & InLine) | ReadResult;

export type StartResult =
  /** `assigned`: a warm agent is now the caller's. `created`: listed for a launch. `existing`: was there before. */
  | {
      status: 'assigned' | 'created' | 'existing';
      session: SessionRecord;
      estimatedWaitMs: number;
      /** Marks the rooms of this deployment, where several share a LiveKit. */
      deployment: string | undefined;
    }
  /** In line, from now on or from before. */
  | ({ status: 'queued' } & InLine)
  | { status: 'user_busy' }
  | { status: 'client_limit'; retryAfterMs: number }
  | { status: 'at_capacity'; retryAfterMs: number }
  /** Agents of this profile fail to start, again and again; the reason is what the last one failed of. */
  | { status: 'profile_failing'; reason: string; retryAfterMs: number }
  | { status: 'unknown_profile' }
  | { status: 'no_host' }
  | { status: 'idempotency_mismatch' }
  | { status: 'session_ended' };
