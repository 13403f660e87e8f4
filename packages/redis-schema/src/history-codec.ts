import type { EndedBy, EndReason } from '@greenroom/contracts';
import { integer, parseLaunches, text } from './session-codec.js';
import type { HistoryRecord, TranscriptLine, TurnRecord } from './history-types.js';

/** Parses an entry of the history; undefined when that cannot be done. Unknown fields of a newer version are left aside. */
export function parseHistory(id: string, json: string): HistoryRecord | undefined {
  try {
    const fields: unknown = JSON.parse(json);
    return fields instanceof Object ? parseFields(id, fields as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function parseFields(id: string, { lastLines, ...fields }: Record<string, unknown>): HistoryRecord {
  const h = fields as Record<string, string | undefined>;
  return {
    id,
    userId: text(h.userId),
    userKey: text(h.userKey),
    userName: text(h.userName),
    voiceId: text(h.voiceId),
    metadata: text(h.metadata),
    profile: h.profile ?? 'default',
    prewarmed: h.prewarmed === '1',
    restarts: integer(h.restarts) ?? 0,
    launches: parseLaunches(h.launches),
    endReason: (h.endReason ?? 'stale') as EndReason,
    endedBy: text(h.endedBy) as EndedBy | undefined,
    endDetail: text(h.endDetail),
    error: text(h.error),
    askedAt: integer(h.askedAt),
    queuedAt: integer(h.queuedAt),
    assignedAt: integer(h.assignedAt),
    spawnedAt: integer(h.spawnedAt),
    readyAt: integer(h.firstReadyAt),
    joinedAt: integer(h.callerJoinedAt),
    firstAudioAt: integer(h.firstAudioAt),
    endRequestedAt: integer(h.endRequestedAt),
    endedAt: integer(h.endedAt) ?? 0,
    peakRssBytes: integer(h.peakRss),
    cpuSeconds: h.cpu === undefined ? undefined : Number(h.cpu),
    deadAir: parseDeadAir(h.deadAir),
    listenedAt: parseListened(h.listened).map(({ at }) => at),
    lastLines: Array.isArray(lastLines) ? lastLines.map(String) : [],
    forgotten: h.forgotten === '1',
  };
}

/** Reads the list that each step of dead air adds to. */
export function parseDeadAir(steps: string | undefined): HistoryRecord['deadAir'] {
  return [...(steps ?? '').matchAll(/(\S+)@(\d+)/g)].map(([, step = '', at]) => ({ step, at: Number(at) }));
}

/** Reads the list that each listener adds to. */
export function parseListened(listened: string | undefined): { identity: string; at: number }[] {
  return [...(listened ?? '').matchAll(/(\S+)@(\d+)/g)].map(([, identity = '', at]) => ({
    identity,
    at: Number(at),
  }));
}

/** As the step that heard its end has kept it; undefined for one that cannot be read. */
export function parseTurn(kept: string): TurnRecord | undefined {
  const [, who, from, length] = /^([au]) (\d{1,15}) (\d{1,15})$/.exec(kept) ?? [];
  if (who === undefined) return undefined;
  return { who: who === 'a' ? 'agent' : 'user', from: Number(from), to: Number(from) + Number(length) };
}

/**
 * A line as the step that took it from the agent has kept it: the time, a blank, the event's data. undefined for one that cannot
 * be read.
 */
export function parseTranscriptLine(kept: string): TranscriptLine | undefined {
  const [, at, data] = /^(\d{1,15}) (.+)$/s.exec(kept) ?? [];
  if (data === undefined) return undefined;
  try {
    const said = JSON.parse(data) as Partial<TranscriptLine> | null;
    if (typeof said?.text !== 'string') return undefined;
    return { at: Number(at), role: said.role === 'agent' ? 'agent' : 'user', text: said.text };
  } catch {
    return undefined;
  }
}
