import type { AdminSessionView, EndedSessionView } from '@greenroom/contracts';
import type { Column } from './table.js';
import type { Terminal } from './terminal.js';
import { formatAge, formatBytes } from './units.js';

/** What the lists show of a session; the stream of all sessions tells it in pieces. */
export type ListedSession = Pick<
  AdminSessionView,
  'sessionId' | 'status' | 'userId' | 'userName' | 'profile' | 'host' | 'prewarmed' | 'createdAt' | 'restarts'
> & {
  assignedAt?: string | null;
  cpuPercent?: number | null;
  memoryBytes?: number | null;
  alarm?: string;
};

type Paint = Terminal['paint'];
type Style = Parameters<Paint>[0];

const STATE_STYLES: Readonly<Record<AdminSessionView['status'], Style>> = {
  queued: 'yellow',
  starting: 'cyan',
  pooled: 'dim',
  ready: 'green',
  restarting: 'yellow',
  ending: 'yellow',
  error: 'red',
};

export function liveColumns(
  paint: Paint,
  idOf: (sessionId: string) => string,
  now: () => number = Date.now,
): Column<ListedSession>[] {
  return [
    { title: 'ID', value: ({ sessionId }) => idOf(sessionId) },
    {
      title: 'STATE',
      value: ({ status, alarm }) => (alarm === undefined ? status : `${status} !`),
      paint: (text, { status, alarm }) => paint(alarm === undefined ? STATE_STYLES[status] : 'red', text),
    },
    { title: 'USER', value: callerOf, min: 8, drop: 1 },
    { title: 'PROFILE', value: ({ profile }) => profile, min: 7, drop: 2 },
    { title: 'HOST', value: ({ host }) => host ?? '-', min: 8, drop: 3 },
    { title: 'START', value: startOf, drop: 5 },
    { title: 'AGE', value: (session) => formatAge(now() - beganAt(session)), align: 'right' },
    { title: 'CPU', value: ({ cpuPercent }) => formatPercent(cpuPercent), align: 'right', drop: 6 },
    { title: 'MEM', value: ({ memoryBytes }) => formatBytes(memoryBytes), align: 'right', drop: 7 },
    { title: 'RESTARTS', value: ({ restarts }) => String(restarts), align: 'right', drop: 8 },
  ];
}

export function endedColumns(
  paint: Paint,
  idOf: (sessionId: string) => string,
  now: () => number = Date.now,
): Column<EndedSessionView>[] {
  return [
    { title: 'ID', value: ({ sessionId }) => idOf(sessionId) },
    {
      title: 'REASON',
      value: ({ endReason }) => endReason,
      paint: (text, { error }) => (error === null ? text : paint('red', text)),
    },
    { title: 'USER', value: callerOf, min: 8, drop: 1 },
    { title: 'PROFILE', value: ({ profile }) => profile, min: 7, drop: 2 },
    { title: 'HOST', value: ({ launches }) => launches.at(-1)?.host ?? '-', min: 8, drop: 3 },
    { title: 'START', value: startOf, drop: 5 },
    { title: 'ENDED', value: ({ timeline }) => `${formatAge(now() - Date.parse(timeline.endedAt))} ago` },
    {
      title: 'LASTED',
      value: ({ durations }) => (durations.totalMs === null ? '-' : formatAge(durations.totalMs)),
      align: 'right',
    },
    { title: 'MEM', value: ({ peakMemoryBytes }) => formatBytes(peakMemoryBytes), align: 'right', drop: 7 },
    { title: 'RESTARTS', value: ({ restarts }) => String(restarts), align: 'right', drop: 8 },
  ];
}

/** A caller's session began when it was given to the caller, not when its warm agent was started. */
function beganAt({ status, assignedAt, createdAt }: ListedSession): number {
  return Date.parse(status === 'pooled' ? createdAt : (assignedAt ?? createdAt));
}

/** Who has no id, as on the call screen, may have given a name. */
function callerOf({ userId, userName }: Pick<ListedSession, 'userId' | 'userName'>): string {
  return userId ?? userName ?? '-';
}

function startOf({ prewarmed }: { prewarmed: boolean }): string {
  return prewarmed ? 'warm' : 'cold';
}

export function formatPercent(percent: number | null | undefined): string {
  return percent === null || percent === undefined ? '-' : `${Math.round(percent)}%`;
}
