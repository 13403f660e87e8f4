import type { AllStreamEvents } from '@greenroom/contracts';
import type { AlarmRecord, LineEntry } from '@greenroom/redis-schema';
import { viewLineEntry } from '../routes/get-line.js';
import { isoTime } from '../sessions/session-view.js';

export const STREAM_KINDS = ['session', 'pool', 'host', 'load', 'line', 'alarm'] as const;
export type StreamKind = (typeof STREAM_KINDS)[number];

type Data = Readonly<Record<string, unknown>>;

/** What admins are told of an entry of the stream of all. */
export function viewEvent(kind: StreamKind, data: Data, atMs: number): object {
  return { ...viewData(kind, data), at: isoTime(atMs) };
}

function viewData(kind: StreamKind, data: Data): object {
  switch (kind) {
    case 'session':
    case 'load':
    case 'alarm':
      return data;
    case 'pool':
      return viewPoolEvent(data);
    case 'host':
      return viewHostEvent(data);
    case 'line':
      return { ...data, line: Array.isArray(data.line) ? (data.line as LineEntry[]).map(viewLineEntry) : [] };
  }
}

function viewPoolEvent(data: Data): object {
  const { breaker, ...counts } = data as { breaker?: { openUntil: number } };
  return breaker ? { ...counts, breaker: { ...breaker, openUntil: isoTime(breaker.openUntil) } } : counts;
}

/** Where only the state has changed, there is nothing else. */
function viewHostEvent(data: Data): object {
  const { kills, cpuPercent, loadAverage, cores, memoryFree, shortOfMemory, ...rest } = data;
  if (rest.calls === undefined) return rest;
  return {
    ...rest,
    running: Number(rest.calls) + Number(rest.warm),
    killsLeft: kills,
    memory: { freeBytes: memoryFree ?? null, isShort: shortOfMemory === true },
    load: loadAverage === undefined ? null : { cpuPercent: cpuPercent ?? null, loadAverage, cores },
  };
}

export function viewAlarm({
  host,
  at,
  ...alarm
}: AlarmRecord): NonNullable<AllStreamEvents['snapshot']['alarms']>[number] {
  return { ...alarm, host: host ?? null, at: isoTime(at) };
}
