import {
  type AdminSessionView,
  type DeadAirSettings,
  type EndedSessionView,
  formatDuration,
  type LoadSample,
  type ProcessSurvey,
  type SessionStateEvent,
  type SessionTimeline,
  type SessionTimelineView,
  type TimelineEntry,
} from '@greenroom/contracts';
import { clean } from './clean.js';
import { formatPercent } from './session-columns.js';
import { renderFields, truncate } from './table.js';
import type { Terminal } from './terminal.js';
import { formatAge, formatBytes, formatTime } from './units.js';

/** All that is known of a session; what could not be asked is null, and its reason is in `problems`. */
export interface LiveDetails {
  readonly session: AdminSessionView;
  readonly timeline: SessionTimelineView | null;
  /** As of the last health check. */
  readonly load: LoadSample | null;
  readonly processes: ProcessSurvey | null;
  readonly problems: string[];
}

export interface EndedDetails {
  readonly session: EndedSessionView;
  readonly timeline: SessionTimelineView | null;
}

type Fields = readonly (readonly [string, string | undefined])[];

/** A live session as lines: what it is, its processes, how silence is treated, and what happened. */
export function renderLive(
  { session, timeline, load, processes, problems }: LiveDetails,
  terminal: Terminal,
): string[] {
  const age = formatAge(Date.now() - Date.parse(session.assignedAt ?? session.createdAt));
  const { deadAir } = session;
  return [
    ...section(session.sessionId, terminal, [
      ['state', session.alarm === undefined ? session.status : `${session.status}, alarm: ${session.alarm}`],
      [
        'position',
        session.position === undefined
          ? undefined
          : `${session.position} in line, ${session.estimatedWait ?? '?'} to go`,
      ],
      ['error', session.error],
      ['ending', session.endReason],
      ['user', named(session.userId, session.userName)],
      ['voice', session.voiceId ?? undefined],
      ['profile', session.profile],
      [
        'start',
        `${session.prewarmed ? 'warm' : 'cold'}${session.startupTime === null ? '' : `, agent ready in ${formatDuration(session.startupTime)}`}`,
      ],
      ['age', age],
      ['host', session.host ?? undefined],
      ['room', session.roomName ?? undefined],
      ['caller', callerOf(session)],
      [
        'agent',
        session.agentPid === null
          ? undefined
          : `pid ${session.agentPid}, launch ${session.generation}, ${session.restarts} restarts`,
      ],
      [
        'uses',
        load === null
          ? undefined
          : `${formatPercent(load.cpuPercent)} CPU, ${formatBytes(load.memoryBytes)}, ${load.processes} processes`,
      ],
      ['ends at', session.deadlineAt ?? undefined],
      ['queued as', session.queuedAs],
    ]),
    ...(session.lastLines ? block('last lines', terminal, session.lastLines) : []),
    ...(processes
      ? block(
          'processes',
          terminal,
          processes.child_processes.map(
            ({ pid, ppid, cmd }) => `${String(pid).padStart(7)} of ${String(ppid).padEnd(7)} ${cmd}`,
          ),
        )
      : []),
    ...problems.map((problem) => terminal.paint('yellow', `! ${clean(problem)}`)),
    ...(deadAir
      ? block('silence', terminal, renderFields(silenceFields(deadAir.settings, deadAir.changed)))
      : []),
    ...renderTimeline(timeline, terminal),
  ];
}

/** One that is over. */
export function renderEnded({ session, timeline }: EndedDetails, terminal: Terminal): string[] {
  const { durations } = session;
  const took = (ms: number | null): string | undefined => (ms === null ? undefined : formatDuration(ms));
  return [
    ...section(session.sessionId, terminal, [
      ['state', 'gone'],
      [
        'ended',
        `${session.endReason}${session.endedBy ? `, by ${session.endedBy}` : ''}${session.endDetail ? `: ${session.endDetail}` : ''}`,
      ],
      ['error', session.error ?? undefined],
      ['user', named(session.userId, session.userName)],
      ['voice', session.voiceId ?? undefined],
      ['profile', session.profile],
      [
        'start',
        `${session.prewarmed ? 'warm' : 'cold'}${durations.untilReadyMs === null ? '' : `, agent ready after ${formatDuration(durations.untilReadyMs)}`}`,
      ],
      ['joined', took(durations.untilJoinedMs)],
      ['first audio', took(durations.untilFirstAudioMs)],
      ['lasted', durations.totalMs === null ? undefined : formatAge(durations.totalMs)],
      ['ended within', took(durations.endingMs)],
      ['launches', session.launches.map(({ generation, host }) => `${generation} on ${host}`).join(', ')],
      [
        'used',
        session.peakMemoryBytes === null
          ? undefined
          : `${formatBytes(session.peakMemoryBytes)} at most, ${session.cpuSeconds ?? '?'} s of CPU`,
      ],
    ]),
    ...(session.lastLines.length > 0 ? block('last lines', terminal, session.lastLines) : []),
    ...renderTimeline(timeline ?? { timeline: session.timeline, entries: [], isCut: false }, terminal),
  ];
}

/** Moments, and whether a step of the session tells the same. */
const MARKS: readonly (readonly [keyof SessionTimeline, string, boolean])[] = [
  ['askedAt', 'asked for', false],
  ['queuedAt', 'in line', true],
  ['spawnedAt', 'agent launched', true],
  ['readyAt', 'agent ready', true],
  ['joinedAt', 'caller in the room', false],
  ['firstAudioAt', 'first audio', false],
  ['endRequestedAt', 'end asked for', true],
  ['endedAt', 'ended', true],
];

interface Mark {
  readonly at: number;
  readonly text: string;
}

/** When what happened, counted from the question. What was said is never in it, only that something was. */
function renderTimeline(
  view: {
    timeline: { [name in keyof SessionTimeline]: string | null };
    entries: TimelineEntry[];
    isCut: boolean;
  } | null,
  terminal: Terminal,
): string[] {
  if (view === null) return [];
  // A live session tells its steps one by one; of one that is over the main moments are left.
  const tellsSteps = view.entries.some(({ event }) => event === 'state');
  const marks = MARKS.flatMap(([name, text, isStep]): Mark[] => {
    const at = view.timeline[name];
    return at === null || at === undefined || (isStep && tellsSteps) ? [] : [{ at: Date.parse(at), text }];
  });
  const happened = view.entries.flatMap((entry): Mark[] => {
    const text = describeEntry(entry);
    return text === undefined ? [] : [{ at: Date.parse(entry.data.at), text }];
  });
  const all = [...marks, ...happened].sort((a, b) => a.at - b.at);
  const from = view.timeline.askedAt === null ? (all[0]?.at ?? 0) : Date.parse(view.timeline.askedAt);
  const lines = all.map(({ at, text }) => `${formatTime(at)}  ${offset(at - from).padStart(9)}  ${text}`);
  return block('timeline', terminal, view.isCut ? ['(older entries are gone)', ...lines] : lines);
}

function describeEntry(entry: TimelineEntry): string | undefined {
  switch (entry.event) {
    case 'state':
      return describeStep(entry.data);
    case 'agent':
      if (entry.data.active === undefined)
        return entry.data.kind === 'health' ? undefined : `agent: ${entry.data.kind}`;
      return entry.data.active ? SPEAKING[entry.data.kind] : undefined;
    case 'transcript':
      return undefined;
    case 'dead_air':
      return `silence: ${entry.data.step}`;
    case 'listener':
      return 'an operator listens in';
    default:
      return undefined;
  }
}

function describeStep({ step, status, endReason, error }: SessionStateEvent): string {
  const what = step === undefined || step === status ? status : `${step} (${status})`;
  return [what, endReason, error].filter((part) => part !== undefined).join(': ');
}

const SPEAKING: Readonly<Record<string, string>> = {
  agent_speaking: 'agent speaks',
  user_speaking: 'caller speaks',
};

function offset(ms: number): string {
  return ms < 0 ? `-${formatDuration(-ms)}` : `+${formatDuration(ms)}`;
}

function silenceFields(settings: DeadAirSettings, changed: readonly string[]): Fields {
  return Object.entries(settings).map(([name, value]) => {
    const text = Array.isArray(value) ? value.join(' / ') : String(value);
    return [name, changed.includes(name) ? `${text} (changed)` : text] as const;
  });
}

function callerOf({ callerJoinedAt, callerLeftAt }: LiveDetails['session']): string | undefined {
  if (callerLeftAt !== undefined) return `away since ${formatTime(callerLeftAt)}`;
  return callerJoinedAt === null ? undefined : `in the room since ${formatTime(callerJoinedAt)}`;
}

function named(userId: string | null, userName: string | null): string | undefined {
  if (userId === null) return userName ?? undefined;
  return userName === null || userName === userId ? userId : `${userId} (${userName})`;
}

function section(title: string, { paint, width }: Terminal, fields: Fields): string[] {
  return [paint('bold', title), ...renderFields(fields).map((line) => truncate(line, width))];
}

function block(title: string, { paint, width }: Terminal, lines: readonly string[]): string[] {
  return ['', paint('bold', title), ...lines.map((line) => truncate(`  ${clean(line)}`, width))];
}
