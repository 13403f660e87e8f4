import { type Decision, nextDecision } from '../decide.js';
import type { CallAction, CallEvent } from '../events.js';
import { phaseOf } from '../phase.js';
import { type ResolvedDeadAirSettings, resolveSettings } from '../settings.js';
import type { CallState } from '../state.js';
import { transition } from '../transition.js';
import { type Situation, situations } from './situations.js';

const SETTINGS = resolveSettings({ goodbye_message: 'Goodbye.' }, 'phone');

const DECISIONS: Record<Decision['what'], string> = {
  ask: 'ask',
  give_up: 'goodbye',
  agent_is_frozen: 'the agent counts as frozen',
  agent_is_out_of_reach: 'apology',
  too_long: 'the call is too long',
  end: 'end',
  end_again: 'ask for the end again',
};

/** docs/dead-air.md: what each event makes of a call in each situation, by asking the machine. */
export function renderTransitionTable(): string {
  return situations(SETTINGS)
    .map((situation) => renderSituation(situation, SETTINGS))
    .join('\n');
}

interface Row {
  what: string;
  next: string;
  actions: string;
  due: string;
  isNothing: boolean;
}

function renderSituation(situation: Situation, settings: ResolvedDeadAirSettings): string {
  const rows = happenings(situation, settings).map(([what, event]) =>
    rowOf(what, event, situation, settings),
  );
  const { state, now, title } = situation;
  const lines = rows
    .filter(({ isNothing }) => !isNothing)
    .map(({ what, next, actions, due }) => `| ${what} | ${next} | ${actions} | ${due} |`);
  const nothing = rows.filter(({ isNothing }) => isNothing).map(({ what }) => what);
  return [
    `### ${title}`,
    '',
    `If nothing happens: ${dueOf(state, now, settings) || 'nothing'}.`,
    '',
    ...(lines.length > 0
      ? ['| what happens | then it is | actions | due |', '|---|---|---|---|', ...lines, '']
      : []),
    ...(nothing.length > 0 ? [`Nothing follows from: ${nothing.join(', ')}.`, ''] : []),
  ].join('\n');
}

function rowOf(
  what: string,
  event: CallEvent,
  { state, now }: Situation,
  settings: ResolvedDeadAirSettings,
): Row {
  const next = transition(state, event, settings);
  const phase = phaseOf(next.state, event.at);
  const isNothing =
    next.actions.length === 0 &&
    phase === phaseOf(state, now) &&
    next.dueAt === (nextDecision(state, settings)?.at ?? null);
  return {
    what,
    next: `\`${phase}\``,
    actions: next.actions.map(describe).join(', '),
    due: dueOf(next.state, event.at, settings),
    isNothing,
  };
}

/** What may happen there: each event once, that of the sound or the line that there is. */
function happenings(situation: Situation, settings: ResolvedDeadAirSettings): [string, CallEvent][] {
  const { state, now: at } = situation;
  const { saying, end, playbacks, work } = state;
  const playing = Object.entries(playbacks.open)[0];
  const sound = {
    id: playing?.[0] ?? 'sound',
    ...(playing?.[1].commandId && { commandId: playing[1].commandId }),
  };
  const [workId = 'work'] = Object.keys(work.open);
  const dueAt = nextDecision(state, settings)?.at;
  const commandId = end?.commandId ?? saying?.commandId;
  return [
    ['`call_started`', { kind: 'call_started', at }],
    ['`playback_started`', { kind: 'playback_started', id: 'another', at }],
    ['`playback_ended`', { kind: 'playback_ended', ...sound, at }],
    ['`agent_speaking` true', { kind: 'agent_speaking', active: true, at }],
    ['`agent_speaking` false', { kind: 'agent_speaking', active: false, at }],
    ['`caller_speaking` true', { kind: 'caller_speaking', active: true, at }],
    ['`caller_speaking` false', { kind: 'caller_speaking', active: false, at }],
    ['`caller_said` "hello"', { kind: 'caller_said', text: 'hello', final: true, at }],
    ['`caller_said` "hold on"', { kind: 'caller_said', text: 'hold on', final: true, at }],
    ['`work_started`', { kind: 'work_started', id: 'more', at }],
    ['`work_ended`', { kind: 'work_ended', id: workId, at }],
    ['`agent_changed`', { kind: 'agent_changed', at }],
    ['`link_made`', { kind: 'link_made', at }],
    ['`link_failed`', { kind: 'link_failed', cause: 'user_busy', at }],
    ['`settings_changed`', { kind: 'settings_changed', at }],
    ['`time`, before it is due', { kind: 'time', at }],
    ...(dueAt === undefined
      ? []
      : [['`time`, when it is due', { kind: 'time', at: dueAt }] as [string, CallEvent]]),
    ...(commandId === undefined
      ? []
      : [
          [`\`command_failed\` of ${commandId}`, { kind: 'command_failed', commandId, at }] as [
            string,
            CallEvent,
          ],
        ]),
    ['`call_ended`', { kind: 'call_ended', at }],
  ];
}

function describe(action: CallAction): string {
  switch (action.kind) {
    case 'say':
    case 'unsay':
    case 'end':
      return `${action.kind} \`${action.commandId}\``;
    case 'restart_agent':
      return `restart the agent (\`${action.commandId}\`)`;
    case 'flag_set':
      return 'set the flag';
    case 'flag_clear':
      return 'clear the flag';
  }
}

function dueOf(state: CallState, now: number, settings: ResolvedDeadAirSettings): string {
  const decision = nextDecision(state, settings);
  if (decision === null) return '';
  return `${DECISIONS[decision.what]} in ${duration(decision.at - now)}`;
}

function duration(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
