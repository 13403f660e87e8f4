import type {
  AgentMode,
  DeadAirSettings,
  EndedBy,
  EndReason,
  LineObstacle,
  PoolPolicy,
  SessionState,
} from '@greenroom/contracts';

/** Milliseconds since 1970, by the clock of Redis. */
export type EpochMs = number;

/** One life of the data in Redis: the number of the recovery that it began with, `-`, and a mark of the server. */
export type Epoch = string;

/** What a host has published its launches in: a life of the data, or a recovery, by its number. */
export type DataLife = Epoch | number;

/** A session's hash, parsed. Absent values are undefined; numbers are numbers. */
export interface SessionRecord {
  id: string;
  status: Exclude<SessionState, 'gone'>;
  /** Whose it is: a warm agent belongs to the pool until it is given to a caller. */
  owner: 'pool' | 'caller';
  mode: AgentMode;
  profile: string;
  prewarmed: boolean;
  userId: string | undefined;
  /** Names the user across clients; see `userKeyOf`. */
  userKey: string | undefined;
  userName: string | undefined;
  voiceId: string | undefined;
  /** JSON text, as the client gave it. */
  metadata: string | undefined;
  roomName: string;
  roomSid: string | undefined;
  host: string | undefined;
  generation: number;
  /** The generation that the launch was started as, where it was published again after a loss of data. */
  publishedGeneration: number | undefined;
  launch: string | undefined;
  /** How long the token of the launch is good for. */
  tokenUntil: EpochMs | undefined;
  /** Until then an agent of an earlier launch, on a host that was lost, may come back into the room. */
  fencedUntil: EpochMs | undefined;
  /** Published again after a loss of data, and perhaps a caller's: neither given out nor counted. */
  quarantined: boolean;
  attempts: number;
  restarts: number;
  /** Who asked, as far as clients are told apart: its turn in line, and what it may have at once, go by this. */
  client: string | undefined;
  /** When it got its place in line, if it ever stood there. */
  queuedAt: EpochMs | undefined;
  /** The id that its caller was given in line, where its turn brought a warm agent. */
  queuedAs: string | undefined;
  /** Place in line, from 1; of those that stand there only. */
  position: number | undefined;
  /** The launch that an admin wants to be replaced. */
  restartRequested: string | undefined;
  agentPid: number | undefined;
  agentPgid: number | undefined;
  /** Clock ticks since boot, as /proc shows it. */
  agentStartTime: string | undefined;
  logFile: string | undefined;
  /** Bytes of the log and of the events file that were consumed. */
  logOffset: number | undefined;
  eventsOffset: number | undefined;
  /** Signs of readiness of this launch that stood in what was consumed. */
  patternSeen: boolean;
  readySaid: boolean;
  createdAt: EpochMs;
  assignedAt: EpochMs | undefined;
  readyAt: EpochMs | undefined;
  /** Start of the launch that is running now. */
  claimedAt: EpochMs | undefined;
  deadlineAt: EpochMs;
  /** Life of the session's keys, renewed. */
  ttlMs: number | undefined;
  /** When a caller was first in the room. */
  callerJoinedAt: EpochMs | undefined;
  /** Since when the caller who was in the room is not; absent while it is there. */
  callerLeftAt: EpochMs | undefined;
  /** The launch whose agent was seen in the room. */
  agentSeenLaunch: string | undefined;
  /** Since when that agent is not there. */
  agentLeftAt: EpochMs | undefined;
  /** Milliseconds from launch to ready. */
  startupTime: number | undefined;
  /** When the caller asked; absent for one who was found after a loss of data. */
  askedAt: EpochMs | undefined;
  /** When the first process of the session existed, and when the first of its agents was ready. */
  spawnedAt: EpochMs | undefined;
  firstReadyAt: EpochMs | undefined;
  /** When the agent first said that it speaks to its caller. */
  firstAudioAt: EpochMs | undefined;
  /** `generation@host` of the launches so far, oldest first, separated by blanks: where their logs lie. */
  launches: string | undefined;
  /** The most memory that was seen of any of its launches, in bytes. */
  peakRss: number | undefined;
  /** Seconds of CPU time, as texts: of the launches before this one, and of this one so far. */
  cpuBefore: string | undefined;
  launchCpu: string | undefined;
  /** Its user was forgotten; what says who it was goes with its end. */
  forget: boolean;
  endReason: EndReason | undefined;
  endedBy: EndedBy | undefined;
  endDetail: string | undefined;
  error: string | undefined;
  /** JSON array of the last lines of an agent that failed to start. */
  lastLines: string | undefined;
  alarm: string | undefined;
  /** The call whose silence is watched for it, where that has an id of its own: a phone call. */
  callId: string | undefined;
  /** `step@time` of what dead air made happen, oldest first, separated by blanks. */
  deadAir: string | undefined;
}

/** How long what is kept of ended sessions is kept. Steps have defaults for what is left out. */
export interface Retention {
  /** Of the history's entries; 0 keeps none. Milliseconds. */
  historyMs: number;
  /** Most entries of the history; 0 keeps none. */
  historyMax: number;
  /** Of transcripts, at most as long as their entry; 0 keeps none. Milliseconds. */
  transcriptMs: number;
  /** How long log files may lie on hosts. Milliseconds. */
  logMs: number;
}

/** One launch of an ended session, and the host on which its log lies. */
export interface LaunchPlace {
  generation: number;
  host: string;
}

/** One entry of the history: a caller's session that is over. */
export interface HistoryRecord {
  id: string;
  userId: string | undefined;
  userKey: string | undefined;
  userName: string | undefined;
  voiceId: string | undefined;
  /** JSON text, as the client gave it. */
  metadata: string | undefined;
  profile: string;
  prewarmed: boolean;
  restarts: number;
  /** Oldest first; at most the last 32. */
  launches: LaunchPlace[];
  endReason: EndReason;
  endedBy: EndedBy | undefined;
  endDetail: string | undefined;
  error: string | undefined;
  askedAt: EpochMs | undefined;
  queuedAt: EpochMs | undefined;
  assignedAt: EpochMs | undefined;
  spawnedAt: EpochMs | undefined;
  readyAt: EpochMs | undefined;
  joinedAt: EpochMs | undefined;
  firstAudioAt: EpochMs | undefined;
  endRequestedAt: EpochMs | undefined;
  endedAt: EpochMs;
  peakRssBytes: number | undefined;
  cpuSeconds: number | undefined;
  /** What dead air made happen, oldest first; at most the last 50. */
  deadAir: { step: string; at: EpochMs }[];
  /** When operators began to listen in; at most the last 50. */
  listenedAt: EpochMs[];
  lastLines: string[];
  /** What said who it was is gone. */
  forgotten: boolean;
}

export interface HistoryFilter {
  userId?: string | undefined;
  profile?: string | undefined;
  /** One that any launch of the session ran on. */
  host?: string | undefined;
  reason?: EndReason | undefined;
  /** Times of the end, both inclusive. */
  from?: EpochMs | undefined;
  to?: EpochMs | undefined;
}

export interface HistoryPage {
  entries: HistoryRecord[];
  /** Opaque; absent on the last page. A page with one may be short, where few entries match a filter. */
  nextCursor: string | undefined;
}

/** One final line of a transcript. */
export interface TranscriptLine {
  at: EpochMs;
  role: 'user' | 'agent';
  text: string;
}

/** What is remembered of an ended session for an hour. */
export interface EndedRecord {
  id: string;
  endReason: EndReason;
  endedBy: EndedBy | undefined;
  endedAt: EpochMs;
  durationMs: number;
  /** Where its logs lie. */
  launches: LaunchPlace[];
}

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

export type ReadResult =
  | { status: 'live'; session: SessionRecord }
  | { status: 'ended'; ended: EndedRecord }
  /** Over for long, or never there. What may have been lost with the data is not this: reading it throws. */
  | { status: 'not_found' };

export interface EndArguments {
  sessionId: string;
  reason: EndReason;
  by: EndedBy;
  detail?: string | undefined;
  /** Refuse unless the session is in this state: retiring a warm agent must not end a call that just got it. */
  expectStatus?: SessionState | undefined;
  /** Refuse unless this launch is the current one. */
  expectGeneration?: number | undefined;
  /** Refuse unless the session still has this launch. */
  expectLaunch?: string | undefined;
  /** Refuse unless the deadline is really over, by the clock of Redis. */
  onlyPastDeadline?: boolean | undefined;
}

export type EndResult =
  /** `ending`: the owner was told. `already_ending`: somebody was first. `gone`: nobody had claimed it, it is over. */
  | { status: 'ending' | 'already_ending'; session: SessionRecord }
  /** Its host cannot be asked: the session is over, and whoever hears this deletes its room. */
  | { status: 'fenced'; session: SessionRecord }
  | { status: 'gone' }
  | { status: 'refused'; session: SessionRecord }
  | { status: 'ended'; ended: EndedRecord }
  | { status: 'not_found' };

export type RestartRequestResult =
  | { status: 'restarting' | 'refused'; session: SessionRecord }
  | { status: 'no_host' | 'host_unreachable' | 'not_found' }
  | { status: 'ended'; ended: EndedRecord };

export interface ListFilter {
  status?: SessionState | undefined;
  userId?: string | undefined;
  profile?: string | undefined;
  host?: string | undefined;
}

export interface ListPage {
  sessions: SessionRecord[];
  /** Opaque; absent on the last page. */
  nextCursor: string | undefined;
}

export interface HealthCounts {
  /** The data was lost, or may lack its last writes, and the hosts are publishing what they have. */
  recovering: boolean;
  ready: number;
  starting: number;
  pool: number;
  warming: number;
  queued: number;
  /** Callers of any state, those still ending included: what counts against MAX_SESSIONS. */
  callers: number;
  /** Hosts with a fresh heartbeat. */
  hosts: number;
  /** Profiles whose agents fail to start, again and again. */
  failingProfiles: string[];
  totals: {
    totalSpawned: number;
    totalAssigned: number;
    totalReady: number;
    totalEnded: number;
    totalFailed: number;
  };
}

/** Why starts of a profile fail fast, and until when. */
export interface BreakerState {
  /** `probing`: the time is over and one launch shows whether it goes well again. */
  status: 'open' | 'probing';
  /** Launches that failed since one got ready. */
  failures: number;
  /** What the last one failed of. */
  reason: string;
  openUntil: EpochMs;
}

/** A policy and, for a schedule, what it says now: that is worked out by whoever sets it. */
export interface PolicySetting {
  policy: PoolPolicy;
  scheduled?: { size: number; untilMs: EpochMs | undefined } | undefined;
}

export interface PoolCounts {
  profile: string;
  target: number;
  policy: PoolPolicy;
  /** Live calls of the profile; where the policy looks at them. */
  callers?: number;
  /** As measured now; where the policy looks at them. */
  arrivalsPerMinute?: number;
  /** From listing a warm agent to having it, on average. */
  replaceMs?: number;
  /** Until when the schedule says what it says. */
  scheduledUntil?: EpochMs;
  /** New sessions so far, and those of them that got a warm agent. */
  starts: number;
  warmStarts: number;
  ready: number;
  warming: number;
  /** Absent while all is well. */
  breaker?: BreakerState;
}

/** A kind of agent, published by the spawners for the api. */
export interface PublishedProfile {
  name: string;
  description?: string | undefined;
  voices: { id: string; name: string }[];
  deadAirSettings?: DeadAirSettings | undefined;
}

/** What a host says of a profile when it registers. */
export interface OfferedProfile extends PublishedProfile {
  /** The configured policy of its pool. */
  pool?: PolicySetting | undefined;
  /** In place of `pool`: a fixed size; default 0. */
  poolTarget?: number;
  /** Names what an agent of it is started with: warm agents of another version are replaced. */
  version?: string | undefined;
}
