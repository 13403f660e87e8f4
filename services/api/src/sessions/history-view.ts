import type { EndedSessionView, SessionDurations, SessionTimeline } from '@greenroom/contracts';
import type { HistoryRecord } from '@greenroom/redis-schema';
import { isoTime, isoTimeOrNull, parseJson } from './session-view.js';

/** What admins see of a session that is over. */
export function viewEnded(entry: HistoryRecord): EndedSessionView {
  return {
    sessionId: entry.id,
    status: 'gone',
    userId: entry.userId ?? null,
    scope: scopeOf(entry),
    userName: entry.userName ?? null,
    voiceId: entry.voiceId ?? null,
    ...(entry.metadata !== undefined && { metadata: parseJson(entry.metadata) }),
    profile: entry.profile,
    prewarmed: entry.prewarmed,
    restarts: entry.restarts,
    endReason: entry.endReason,
    endedBy: entry.endedBy ?? null,
    endDetail: entry.endDetail ?? null,
    error: entry.error ?? null,
    timeline: timelineOf(entry),
    durations: durationsOf(entry),
    deadAir: entry.deadAir.map(({ step, at }) => ({ step, at: isoTime(at) })),
    listenedAt: entry.listenedAt.map(isoTime),
    launches: entry.launches,
    peakMemoryBytes: entry.peakRssBytes ?? null,
    cpuSeconds: entry.cpuSeconds ?? null,
    lastLines: entry.lastLines,
    forgotten: entry.forgotten,
  };
}

function scopeOf({ userId, userKey }: HistoryRecord): string | null {
  if (userId === undefined) return null;
  if (userKey === undefined || userKey === userId) return 'open';
  return userKey.slice(0, userKey.indexOf(':'));
}

function timelineOf(entry: HistoryRecord): SessionTimeline {
  return {
    askedAt: isoTimeOrNull(entry.askedAt),
    queuedAt: isoTimeOrNull(entry.queuedAt),
    spawnedAt: isoTimeOrNull(entry.spawnedAt),
    readyAt: isoTimeOrNull(entry.readyAt),
    joinedAt: isoTimeOrNull(entry.joinedAt),
    firstAudioAt: isoTimeOrNull(entry.firstAudioAt),
    endRequestedAt: isoTimeOrNull(entry.endRequestedAt),
    endedAt: isoTime(entry.endedAt),
  };
}

function durationsOf(entry: HistoryRecord): SessionDurations {
  const { askedAt } = entry;
  return {
    untilReadyMs: between(askedAt, entry.readyAt),
    untilJoinedMs: between(askedAt, entry.joinedAt),
    untilFirstAudioMs: between(askedAt, entry.firstAudioAt),
    endingMs: between(entry.endRequestedAt, entry.endedAt),
    totalMs: between(askedAt, entry.endedAt),
  };
}

/** A warm agent was ready before anybody asked. */
function between(from: number | undefined, to: number | undefined): number | null {
  return from === undefined || to === undefined ? null : Math.max(0, to - from);
}
