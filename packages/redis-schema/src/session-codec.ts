import type { AgentMode, EndedBy, EndReason } from '@greenroom/contracts';
import type { EndedRecord, LaunchPlace, SessionLoad, SessionRecord } from './session-types.js';

type Fields = Record<string, string | undefined>;

/** Parses a session's hash as the scripts hand it over. Unknown fields of a newer version are left aside. */
export function parseSession(raw: unknown): SessionRecord {
  const h = raw as Fields;
  return {
    id: h.id ?? '',
    status: (h.status ?? 'ending') as SessionRecord['status'],
    owner: h.owner === 'pool' ? 'pool' : 'caller',
    mode: (h.mode ?? 'user') as AgentMode,
    profile: h.profile ?? 'default',
    prewarmed: h.prewarmed === '1',
    userId: text(h.userId),
    userKey: text(h.userKey),
    userName: text(h.userName),
    voiceId: text(h.voiceId),
    metadata: text(h.metadata),
    roomName: h.roomName ?? '',
    roomSid: text(h.roomSid),
    host: text(h.host),
    generation: integer(h.generation) ?? 0,
    publishedGeneration: integer(h.publishedGeneration),
    launch: text(h.launch),
    tokenUntil: integer(h.tokenUntil),
    fencedUntil: integer(h.fencedUntil),
    quarantined: h.quarantined === '1',
    attempts: integer(h.attempts) ?? 0,
    restarts: integer(h.restarts) ?? 0,
    client: text(h.client),
    queuedAt: integer(h.queuedAt),
    queuedAs: text(h.queuedAs),
    position: h.status === 'queued' ? integer(h.position) : undefined,
    restartRequested: text(h.restartRequested),
    agentPid: integer(h.agentPid),
    agentPgid: integer(h.agentPgid),
    agentStartTime: text(h.agentStartTime),
    logFile: text(h.logFile),
    logOffset: integer(h.logOffset),
    eventsOffset: integer(h.eventsOffset),
    patternSeen: h.patternSeen === '1',
    readySaid: h.readySaid === '1',
    createdAt: integer(h.createdAt) ?? 0,
    assignedAt: integer(h.assignedAt),
    readyAt: integer(h.readyAt),
    claimedAt: integer(h.claimedAt),
    deadlineAt: integer(h.deadlineAt) ?? Number.MAX_SAFE_INTEGER,
    ttlMs: integer(h.ttlMs),
    callerJoinedAt: integer(h.callerJoinedAt),
    callerLeftAt: integer(h.callerLeftAt),
    agentSeenLaunch: text(h.agentSeenLaunch),
    agentLeftAt: integer(h.agentLeftAt),
    startupTime: integer(h.startupTime),
    askedAt: integer(h.askedAt),
    spawnedAt: integer(h.spawnedAt),
    firstReadyAt: integer(h.firstReadyAt),
    firstAudioAt: integer(h.firstAudioAt),
    launches: text(h.launches),
    peakRss: integer(h.peakRss),
    cpuBefore: text(h.cpuBefore),
    launchCpu: text(h.launchCpu),
    forget: h.forget === '1',
    endReason: text(h.endReason) as EndReason | undefined,
    endedBy: text(h.endedBy) as EndedBy | undefined,
    endDetail: text(h.endDetail),
    endAtOnce: h.endAtOnce === '1',
    endRequestedAt: integer(h.endRequestedAt),
    error: text(h.error),
    lastLines: text(h.lastLines),
    alarm: text(h.alarm),
    callId: text(h.callId),
    deadAir: text(h.deadAir),
    listened: text(h.listened),
    load: (raw as { load?: SessionLoad }).load,
  };
}

/**
 * The inverse of `parseSession`: the hash as a host can publish it again. What belongs to one life of the data, and what
 * other keys say, stays out.
 */
export function encodeSession(session: SessionRecord): Record<string, string> {
  const {
    id: _id,
    publishedGeneration: _generation,
    quarantined: _quarantined,
    load: _load,
    ...fields
  } = session;
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => {
      if (value === undefined) return [];
      return [[name, typeof value === 'boolean' ? (value ? '1' : '0') : String(value)]];
    }),
  );
}

export function parseEnded(raw: unknown): EndedRecord {
  const h = raw as Fields;
  return {
    id: h.id ?? '',
    endReason: (h.endReason ?? 'stale') as EndReason,
    endedBy: text(h.endedBy) as EndedBy | undefined,
    endedAt: integer(h.endedAt) ?? 0,
    durationMs: integer(h.durationMs) ?? 0,
    launches: parseLaunches(h.launches),
  };
}

/** Reads the list that the commit of a launch adds to. */
export function parseLaunches(launches: string | undefined): LaunchPlace[] {
  return [...(launches ?? '').matchAll(/(\d+)@(\S+)/g)].map(([, generation, host = '']) => ({
    generation: Number(generation),
    host,
  }));
}

export function text(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value;
}

export function integer(value: string | undefined): number | undefined {
  if (value === undefined || value === '') return undefined;
  const parsed = Number(value);
  return Number.isSafeInteger(parsed) ? parsed : undefined;
}
