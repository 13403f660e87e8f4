import {
  type AdminSessionView,
  formatDuration,
  type SessionView,
  type StartedQueued,
} from '@greenroom/contracts';
import type { InLine, SessionRecord } from '@greenroom/redis-schema';

/** What the holder of a session's id sees of it. */
export function viewSession(session: SessionRecord): SessionView {
  return {
    sessionId: session.id,
    status: session.status,
    userId: session.userId ?? null,
    userName: session.userName ?? null,
    voiceId: session.voiceId ?? null,
    profile: session.profile,
    prewarmed: session.prewarmed,
    roomName: session.status === 'queued' ? null : session.roomName,
    createdAt: isoTime(session.createdAt),
    readyAt: isoTimeOrNull(session.readyAt),
    startupTime: session.startupTime ?? null,
    restarts: session.restarts,
    ...(session.position !== undefined && { position: session.position }),
    ...(session.queuedAs !== undefined && { queuedAs: session.queuedAs }),
    ...(session.status === 'error' && { error: session.error ?? 'The agent could not be started.' }),
    ...(session.endReason !== undefined && { endReason: session.endReason }),
  };
}

/** With where it runs and how it went. */
export function viewSessionForAdmin(session: SessionRecord): AdminSessionView {
  return {
    ...viewSession(session),
    ...(session.error !== undefined && { error: session.error }),
    host: session.host ?? null,
    agentPid: session.agentPid ?? null,
    agentPgid: session.agentPgid ?? null,
    generation: session.generation,
    logFile: session.logFile ?? null,
    assignedAt: isoTimeOrNull(session.assignedAt),
    callerJoinedAt: isoTimeOrNull(session.callerJoinedAt),
    ...(session.callerLeftAt !== undefined && { callerLeftAt: isoTime(session.callerLeftAt) }),
    deadlineAt: isoTimeOrNull(session.deadlineAt),
    attempts: session.attempts,
    ...(session.load !== undefined && {
      cpuPercent: session.load.cpuPercent,
      memoryBytes: session.load.memoryBytes,
      measuredAt: isoTime(session.load.at),
    }),
    ...(session.alarm !== undefined && { alarm: session.alarm }),
    ...(session.lastLines !== undefined && { lastLines: parseLines(session.lastLines) }),
    ...(session.metadata !== undefined && { metadata: parseJson(session.metadata) }),
  };
}

/** Where in line a session stands. */
export function viewPlace({
  position,
  estimatedWaitMs,
  blockedBy,
}: InLine): Pick<StartedQueued, 'position' | 'estimatedWait' | 'estimatedWaitMs' | 'blockedBy'> {
  return {
    position,
    estimatedWait: formatDuration(estimatedWaitMs),
    estimatedWaitMs: Math.round(estimatedWaitMs),
    ...(blockedBy !== undefined && { blockedBy }),
  };
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** A time beyond what a date can hold means that there is none. */
export function isoTimeOrNull(ms: number | undefined): string | null {
  return ms === undefined || Math.abs(ms) > 8.64e15 ? null : isoTime(ms);
}

function parseLines(json: string): string[] {
  const lines = parseJson(json);
  return Array.isArray(lines) ? lines.map(String) : [];
}

export function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}
