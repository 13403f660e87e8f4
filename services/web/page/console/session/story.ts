import type { SessionTimeline, TimelineEntry } from '@greenroom/contracts';
import type { Tone } from '../parts/status.jsx';
import { linesOf, type StoryLine } from './story-lines.js';

/** What is drawn of a session, in milliseconds since 1970. `to: undefined`: it goes on. */
export interface Story {
  readonly start: number;
  /** When it was over; undefined while it lives. */
  readonly end: number | undefined;
  readonly bars: readonly StoryBar[];
  readonly marks: readonly StoryMark[];
  readonly lines: readonly StoryLine[];
}

export const LANES = ['start', 'agent', 'caller', 'silence', 'session'] as const;
export type Lane = (typeof LANES)[number];

export interface StoryBar {
  readonly key: string;
  readonly lane: Lane;
  readonly from: number;
  readonly to: number | undefined;
  readonly label: string;
  readonly tone: Tone;
}

export interface StoryMark {
  readonly key: string;
  readonly lane: Lane;
  readonly at: number;
  readonly label: string;
  readonly tone: Tone;
}

export type Milestones = { readonly [Name in keyof SessionTimeline]: string | null };

export function tellStory(milestones: Milestones, entries: readonly TimelineEntry[]): Story {
  const times = Object.values(milestones).filter((time) => time !== null);
  const first = milestones.askedAt ?? times.sort()[0] ?? entries[0]?.data.at;
  const start = first === undefined ? Date.now() : Date.parse(first);
  const end = timeOf(milestones.endedAt);
  const turns = turnsOf(entries, end);
  return {
    start,
    end,
    bars: [...startBars(milestones, end), ...turns],
    marks: marksOf(milestones, entries),
    lines: linesOf(entries, turns),
  };
}

export interface StoryStep {
  readonly key: string;
  readonly at: number;
  readonly label: string;
}

/** All that is drawn, in words and by time. */
export function stepsOf({ bars, marks }: Pick<Story, 'bars' | 'marks'>): StoryStep[] {
  const spans = bars.map(({ key, from, to, label }) => ({
    key,
    at: from,
    label: `${label}, ${to === undefined ? 'until now' : `${((to - from) / 1_000).toFixed(1)} s`}`,
  }));
  return [...spans, ...marks].sort((a, b) => a.at - b.at);
}

/** Not every agent tells who speaks when, and calls of an earlier version have none of it kept. */
export function hasTurns({ bars }: Pick<Story, 'bars'>): boolean {
  return bars.some(({ lane }) => lane === 'agent' || lane === 'caller');
}

const PHASES = [
  ['queuedAt', 'in line', 'info'],
  ['spawnedAt', 'agent loading', 'info'],
  ['readyAt', 'waiting for the caller', 'quiet'],
] as const satisfies readonly (readonly [keyof SessionTimeline, string, Tone])[];

/** How it came to be, one phase after the other. What a warm agent did before it was asked for is no wait of anybody. */
function startBars(milestones: Milestones, end: number | undefined): StoryBar[] {
  const asked = timeOf(milestones.askedAt);
  if (asked === undefined) return [];
  const stops = [
    { at: asked, label: 'asked', tone: 'quiet' as Tone },
    ...PHASES.flatMap(([name, label, tone]) => {
      const at = timeOf(milestones[name]);
      return at === undefined || at < asked ? [] : [{ at, label, tone }];
    }),
  ];
  const joined = timeOf(milestones.joinedAt);
  const heard = timeOf(milestones.firstAudioAt);
  if (joined !== undefined)
    stops.push({ at: Math.max(joined, asked), label: 'caller is there', tone: 'good' });
  stops.sort((a, b) => a.at - b.at);
  const last = heard ?? joined ?? end;
  return stops.flatMap((stop, index) => {
    const to = stops[index + 1]?.at ?? last;
    if (to !== undefined && to <= stop.at) return [];
    return [
      {
        key: `start-${stop.label}`,
        lane: 'start' as const,
        from: stop.at,
        to,
        label: stop.label,
        tone: stop.tone,
      },
    ];
  });
}

const SPEAKERS: Readonly<Record<string, 'agent' | 'caller'>> = {
  agent_speaking: 'agent',
  user_speaking: 'caller',
};

/** When either side spoke. One that never stopped goes on, or stopped with the session. */
function turnsOf(entries: readonly TimelineEntry[], end: number | undefined): StoryBar[] {
  const bars: StoryBar[] = [];
  const since = new Map<'agent' | 'caller', number>();
  const close = (lane: 'agent' | 'caller', to: number | undefined): void => {
    const from = since.get(lane);
    if (from === undefined) return;
    since.delete(lane);
    const label = lane === 'agent' ? 'agent speaks' : 'caller speaks';
    bars.push({ key: `${lane}-${from}`, lane, from, to, label, tone: lane === 'agent' ? 'good' : 'info' });
  };
  for (const { event, data } of entries) {
    const at = Date.parse(data.at);
    // Another agent has spoken nothing yet.
    if (event === 'state' && data.status === 'restarting') close('agent', at);
    const lane = event === 'agent' ? SPEAKERS[data.kind] : undefined;
    if (event !== 'agent' || lane === undefined) continue;
    if (data.active !== true) close(lane, at);
    else if (!since.has(lane)) since.set(lane, at);
  }
  for (const lane of since.keys()) close(lane, end);
  return bars;
}

const MILESTONES: readonly (readonly [keyof SessionTimeline, string, Tone])[] = [
  ['readyAt', 'agent ready', 'good'],
  ['joinedAt', 'caller joined', 'good'],
  ['firstAudioAt', 'first words of the agent', 'good'],
  ['endRequestedAt', 'end asked for', 'quiet'],
  ['endedAt', 'over', 'quiet'],
];

function marksOf(milestones: Milestones, entries: readonly TimelineEntry[]): StoryMark[] {
  const asked = timeOf(milestones.askedAt);
  const reached = MILESTONES.flatMap(([name, label, tone]): StoryMark[] => {
    const at = timeOf(milestones[name]);
    if (at === undefined || (asked !== undefined && at < asked)) return [];
    return [
      {
        key: name,
        lane: name === 'endRequestedAt' || name === 'endedAt' ? 'session' : 'start',
        at,
        label,
        tone,
      },
    ];
  });
  return [...reached, ...entries.flatMap(markOf)].sort((a, b) => a.at - b.at);
}

/** Steps of the session that an operator looks for; the milestones have the others. */
const STEPS: Readonly<Record<string, readonly [string, Tone]>> = {
  attempt_failed: ['a launch failed', 'bad'],
  restarting: ['another agent is started', 'warn'],
  placed_again: ['placed on another host', 'warn'],
  moved: ['moved to another host', 'warn'],
  caller_left: ['the caller left', 'warn'],
  recovered: ['found again after Redis lost its data', 'warn'],
  alarm: ['alarm', 'bad'],
  error: ['the start failed', 'bad'],
};

function markOf({ event, data }: TimelineEntry, index: number): StoryMark[] {
  const at = Date.parse(data.at);
  const key = `${event}-${index}`;
  if (event === 'dead_air') {
    return [
      { key, lane: 'silence', at, label: nameOfDeadAir(data.step, data), tone: toneOfDeadAir(data.step) },
    ];
  }
  if (event === 'listener')
    return [{ key, lane: 'session', at, label: 'an operator listens in', tone: 'warn' }];
  const known = event === 'state' && data.step !== undefined ? STEPS[data.step] : undefined;
  return known ? [{ key, lane: 'session', at, label: known[0], tone: known[1] }] : [];
}

function toneOfDeadAir(step: string): Tone {
  if (step === 'checkin' || step === 'agent_frozen') return 'warn';
  if (step === 'call_ending' || step === 'apology' || step === 'not_said' || step === 'transfer_failed')
    return 'bad';
  return step === 'caller_back' ? 'good' : 'quiet';
}

const DEAD_AIR: Readonly<Record<string, string>> = {
  call_started: 'silence counts from here',
  checkin: 'asked whether somebody is there',
  checkin_spoken: 'the question was heard',
  not_said: 'a line was refused: nobody heard it',
  caller_back: 'the caller is back',
  hold_on: 'the caller asked to hold on',
  agent_frozen: 'the agent does not answer',
  transfer_failed: 'the call could not be led to its agent',
  goodbye: 'says goodbye',
  goodbye_spoken: 'the goodbye was heard',
  apology: 'apologises',
  apology_spoken: 'the apology was heard',
  call_ending: 'the call is ended',
  settings_changed: 'settings changed',
};

function nameOfDeadAir(step: string, detail: Readonly<Record<string, unknown>>): string {
  const name = DEAD_AIR[step] ?? step.replaceAll('_', ' ');
  return step === 'checkin' && typeof detail['number'] === 'number'
    ? `${name} (${detail['number']} of ${Number(detail['of'])})`
    : name;
}

function timeOf(time: string | null): number | undefined {
  return time === null ? undefined : Date.parse(time);
}
