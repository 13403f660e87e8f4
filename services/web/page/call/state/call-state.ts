import type { LineObstacle, SessionState } from '@greenroom/contracts';
import type { Problem } from '../words/problems.js';
import type { Line } from './transcript.js';

/** What a caller asks for. */
export interface CallRequest {
  readonly userName: string;
  readonly profile: string;
  readonly voiceId: string;
}

/** Everything that the page shows. Times are milliseconds since 1970 by this machine's clock. */
export type CallState =
  | { readonly screen: 'lobby'; readonly request: CallRequest; readonly problem?: Problem }
  /** This tab was duplicated, or another one took the call over. */
  | { readonly screen: 'elsewhere'; readonly request: CallRequest }
  | { readonly screen: 'call'; readonly request: CallRequest; readonly call: Call }
  | { readonly screen: 'over'; readonly request: CallRequest; readonly over: Over };

export interface Call {
  /** Undefined until the service has answered. With a place in line it may change to that of a warm agent. */
  readonly sessionId: string | undefined;
  readonly status: Exclude<SessionState, 'pooled' | 'gone'> | 'asking' | 'returning';
  /** Whether the agent was warm. */
  readonly isWarm: boolean;
  readonly marks: Marks;
  readonly line: LinePlace | undefined;
  readonly room: RoomFacts;
  readonly microphone: Microphone;
  /** What the caller wants, whatever the microphone does: whoever was muted stays so. */
  readonly isMuted: boolean;
  readonly lines: readonly Line[];
  /** Why it does not come about. */
  readonly problem: Problem | undefined;
}

/** When each step was done. */
export interface Marks {
  readonly askedAt: number;
  readonly answeredAt?: number;
  /** The turn in line has come. */
  readonly admittedAt?: number;
  /** The agent is in the room. */
  readonly agentHereAt?: number;
  /** Both can talk. */
  readonly readyAt?: number;
  /** It will not come about. */
  readonly failedAt?: number;
}

export interface LinePlace {
  readonly position: number;
  readonly estimatedWaitMs: number | undefined;
  /** When that was said. */
  readonly saidAt: number;
  readonly blockedBy: LineObstacle | undefined;
}

export interface RoomFacts {
  /** `lost`: LiveKit's own attempts to come back are over; ours go on. */
  readonly connection: 'none' | 'joining' | 'joined' | 'reconnecting' | 'lost';
  /** An agent is in the room. */
  readonly hasAgent: boolean;
  readonly isListenedTo: boolean;
  /** False: the browser plays no sound before somebody clicks. */
  readonly canPlay: boolean;
}

export type Microphone =
  /** Not asked for yet; or muted, which is wanted. */
  | 'off'
  | 'asking'
  | 'on'
  | 'muted'
  | 'refused'
  | 'missing'
  | 'busy'
  /** Browsers give a microphone to pages from https or localhost only. */
  | 'insecure'
  | 'failed';

export interface Over {
  readonly endReason: string | undefined;
  readonly durationMs: number | undefined;
  readonly lines: readonly Line[];
}

export const NO_ROOM: RoomFacts = { connection: 'none', hasAgent: false, isListenedTo: false, canPlay: true };

export function newCall(askedAt: number, status: 'asking' | 'returning'): Call {
  return {
    sessionId: undefined,
    status,
    isWarm: false,
    marks: { askedAt },
    line: undefined,
    room: NO_ROOM,
    microphone: 'off',
    isMuted: false,
    lines: [],
    problem: undefined,
  };
}
