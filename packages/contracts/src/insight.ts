import type { SessionTimeline } from './http.js';
import type { SessionStreamEvents } from './stream-events.js';

/** Events of a session that its timeline has, too. */
export type TimelineEvent = 'state' | 'agent' | 'transcript' | 'dead_air' | 'listener';

/** One of them, as GET /api/session/:id/events tells it to admins. */
export type TimelineEntry = {
  [Event in TimelineEvent]: { event: Event; data: SessionStreamEvents[Event] };
}[TimelineEvent];

/** GET /api/session/:id/timeline. */
export interface SessionTimelineView {
  success: true;
  sessionId: string;
  /** `endedAt` is null while it lives. */
  timeline: Omit<SessionTimeline, 'endedAt'> & { endedAt: string | null };
  /** Oldest first. Of a session that is over: what the history has, without words. */
  entries: TimelineEntry[];
  /** The oldest entries of a long call are gone. */
  isCut: boolean;
  /** With this as Last-Event-ID the session's events go on where the entries end; null once it is over. */
  lastEventId: string | null;
  /** Whether POST /api/session/:id/listen is allowed here. */
  listenIn: ListenIn;
}

/** `announced`: an operator may listen in, and the caller is told. */
export const LISTEN_IN_MODES = ['off', 'announced'] as const;
export type ListenIn = (typeof LISTEN_IN_MODES)[number];

/** Of GET /api/session/:id/logs. */
export interface LogLinesView {
  /** Oldest first. */
  lines: string[];
  /** When each of them was printed, as far as anybody knows; null where nobody does. */
  times: (string | null)[];
}

/** GET /api/session/:id/load. */
export interface SessionLoadView {
  success: true;
  sessionId: string;
  /** Oldest first; the last 720. */
  samples: LoadSample[];
}

/** What an agent with all that it started used at one health check. */
export interface LoadSample {
  at: string;
  /** Of one core, since the look before, or since the launch began. */
  cpuPercent: number;
  memoryBytes: number;
  processes: number;
}

/** POST /api/session/:id/listen: the caller was told, and this token hears the call. It can do nothing else. */
export interface ListenResponse {
  success: true;
  sessionId: string;
  /** Of the listener, as everybody in the room sees it. */
  identity: string;
  server_url: string;
  participant_token: string;
  serverUrl: string;
  participantToken: string;
}

/** Identities of those who listen in start so. */
export const LISTENER_IDENTITY_PREFIX = 'listener-';
/** LiveKit attribute of a participant that is there for us; a caller cannot set it. */
export const ROLE_ATTRIBUTE = 'greenroom.role';
export const LISTENER_ROLE = 'listener';

/**
 * Metadata of a listener, which it cannot change. LiveKit hands who is connected new tokens for as long as that lasts, and ten
 * minutes: who joins after `joinBy` comes back with one of those, and the caller was not told anew.
 */
export interface ListenerMetadata {
  /** Milliseconds since 1970. */
  joinBy: number;
}

/** POST /api/admin/door: the cookie that comes with it opens the queue page for a while. */
export interface DoorResponse {
  success: true;
  /** Of the queue page. */
  path: string;
  expiresAt: string;
}
