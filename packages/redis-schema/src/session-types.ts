import type { AgentMode, EndedBy, EndReason, SessionState } from '@greenroom/contracts';
import type { EpochMs } from './types.js';

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
  /** Its processes get no time to leave. */
  endAtOnce: boolean;
  endRequestedAt: EpochMs | undefined;
  error: string | undefined;
  /** JSON array of the last lines of an agent that failed to start. */
  lastLines: string | undefined;
  alarm: string | undefined;
  /** The call whose silence is watched for it, where that has an id of its own: a phone call. */
  callId: string | undefined;
  /** What its agent used at the last health check; of those only that are listed. */
  load: SessionLoad | undefined;
  /** `step@time` of what dead air made happen, oldest first, separated by blanks. */
  deadAir: string | undefined;
  /** `identity@time` of those who began to listen in, oldest first, separated by blanks. */
  listened: string | undefined;
}

/** What an agent uses, with all that it has started. */
export interface SessionLoad {
  at: EpochMs;
  /** Of one core, since the look before. */
  cpuPercent: number;
  memoryBytes: number;
}

/** One launch of an ended session, and the host on which its log lies. */
export interface LaunchPlace {
  generation: number;
  host: string;
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
