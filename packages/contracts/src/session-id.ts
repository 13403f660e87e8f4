/** Ids are unguessable: whoever holds one may see and end that session. */
export const SESSION_ID_PATTERN = /^(session|prewarm)_[A-Za-z0-9_-]{20,}$/;

/** Longest id that is looked up at all; ours have 8 + 24 characters. */
export const SESSION_ID_MAX_LENGTH = 128;

export function isSessionId(value: string): boolean {
  return value.length <= SESSION_ID_MAX_LENGTH && SESSION_ID_PATTERN.test(value);
}

const ROOM_PREFIX = 'greenroom-';

/** One room a session, and the room's name tells whose it is. */
export function roomNameOf(sessionId: string): string {
  return `${ROOM_PREFIX}${sessionId}`;
}

/** The session that a room belongs to, or undefined for a room that is not ours. */
export function sessionIdOfRoom(roomName: string): string | undefined {
  if (!roomName.startsWith(ROOM_PREFIX)) return undefined;
  const id = roomName.slice(ROOM_PREFIX.length);
  return isSessionId(id) ? id : undefined;
}

/** Identity of an agent in its room; the generation tells a restarted agent from its predecessor. */
export function agentIdentity(sessionId: string, generation: number): string {
  return `agent-${sessionId}-g${generation}`;
}

/** Identities that we mint for callers start so; nobody else counts as a caller. */
export const CALLER_IDENTITY_PREFIX = 'caller-';
