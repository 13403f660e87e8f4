import { isSessionId, roomNameOf } from './session-id.js';

export interface RoomRequest {
  sessionId: string;
  /** Keeps rooms apart where several deployments share a LiveKit. */
  deployment: string | undefined;
  /** Longest call. */
  sessionTimeoutMs: number;
  /** Age at which a warm agent is replaced. */
  warmMaxAgeMs: number;
  /** How long a caller who left may take to come back. */
  leaveGraceMs: number;
  userId?: string | undefined;
  userName?: string | undefined;
  voiceId?: string | undefined;
}

/** What LiveKit is asked for. Whoever makes the room first, api or spawner, makes the same one. */
export interface RoomOptions {
  name: string;
  /** LiveKit counts a room whose only participants are agents as empty, and it never changes this afterwards. */
  emptyTimeoutSeconds: number;
  /** From the last caller's leaving until LiveKit closes the room on the agent. */
  departureTimeoutSeconds: number;
  /** Carries our mark: rooms without it are not ours and are never touched. */
  metadata: string;
}

/** Beyond the life of an agent, so that it is always we who end the room. */
const EMPTY_MARGIN_SECONDS = 600;
/** Beyond the caller's grace: long enough for a spawner to restart meanwhile. */
const DEPARTURE_MARGIN_SECONDS = 300;

export function roomOptions(request: RoomRequest): RoomOptions {
  const longestLifeMs = Math.max(request.sessionTimeoutMs, request.warmMaxAgeMs);
  return {
    name: roomNameOf(request.sessionId),
    emptyTimeoutSeconds: Math.ceil(longestLifeMs / 1000) + EMPTY_MARGIN_SECONDS,
    departureTimeoutSeconds: Math.ceil(request.leaveGraceMs / 1000) + DEPARTURE_MARGIN_SECONDS,
    metadata: roomMetadata(request),
  };
}

const MARK_VERSION = 1;

/** JSON text; who the caller is reaches an agent that was warm before through it. */
export function roomMetadata(
  of: Pick<RoomRequest, 'sessionId' | 'deployment' | 'userId' | 'userName' | 'voiceId'>,
): string {
  return JSON.stringify({
    greenroom: { v: MARK_VERSION, sessionId: of.sessionId, deployment: of.deployment },
    userId: of.userId,
    userName: of.userName,
    voiceId: of.voiceId,
  });
}

export interface RoomMark {
  sessionId: string;
  /** Undefined: made while the deployment was not known, so it is nobody's to sweep. */
  deployment: string | undefined;
}

/** Whose a room is, or undefined for one without our mark. */
export function readRoomMark(metadata: string): RoomMark | undefined {
  try {
    const { greenroom } = JSON.parse(metadata) as { greenroom?: Record<string, unknown> };
    const sessionId = greenroom?.['sessionId'];
    const deployment = greenroom?.['deployment'];
    if (typeof sessionId !== 'string' || !isSessionId(sessionId)) return undefined;
    return { sessionId, deployment: typeof deployment === 'string' ? deployment : undefined };
  } catch {
    return undefined;
  }
}
