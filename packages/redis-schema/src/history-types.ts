import type { EndedBy, EndReason } from '@greenroom/contracts';
import type { LaunchPlace } from './session-types.js';
import type { EpochMs } from './types.js';

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

/** Of a longer call the oldest turns go: `Turns.KEPT` in the steps. */
export const MAX_TURNS_KEPT = 500;

/** When one side of a call spoke. What was said is none of it. */
export interface TurnRecord {
  who: 'agent' | 'user';
  from: EpochMs;
  to: EpochMs;
}

/** One final line of a transcript. */
export interface TranscriptLine {
  at: EpochMs;
  role: 'user' | 'agent';
  text: string;
}
