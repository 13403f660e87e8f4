import { act, type Outcome } from './act.js';
import { isAgentDone } from './agent-done.js';
import { nextDecision } from './decide.js';
import type { CallAction, CallEvent, CallStep } from './events.js';
import { linkFailedAt } from './link.js';
import { note } from './note.js';
import type { ResolvedDeadAirSettings } from './settings.js';
import { isDoneWith, isSpoken } from './speech.js';
import type { CallState } from './state.js';
import { isTakenBack } from './taken-back.js';
import { isHoldingOn } from './words.js';

export interface Transition {
  state: CallState;
  actions: CallAction[];
  steps: CallStep[];
  /** When to come back with a `time` event if nothing else happens; null: never. May have passed already. */
  dueAt: number | null;
}

/**
 * What an event makes of a call. First it is written down; what it means for flag and pending question follows from the
 * difference; then, if it is `time`, everything that is due is decided.
 */
export function transition(
  state: CallState,
  event: CallEvent,
  settings: ResolvedDeadAirSettings,
): Transition {
  if (state.isOver) return { state, actions: [], steps: [], dueAt: null };
  const noted = noteFlag(note(state, event, settings));
  const heard: Outcome = {
    state: noted,
    actions: [...unsay(state, noted), ...unsayAgain(state, event), ...changeFlag(state, noted)],
    steps: stepsOf(state, noted, event),
  };
  const {
    state: next,
    actions,
    steps,
  } = event.kind === 'time' ? decideAll(heard, event.at, settings) : heard;
  return { state: next, actions, steps, dueAt: nextDecision(next, settings)?.at ?? null };
}

/** Each decision puts the next one off, or is the last. */
function decideAll(outcome: Outcome, at: number, settings: ResolvedDeadAirSettings): Outcome {
  const decision = nextDecision(outcome.state, settings);
  if (decision === null || decision.at > at) return outcome;
  const { state, actions, steps } = act(outcome.state, decision.what, at, settings);
  const next = {
    state,
    actions: [...outcome.actions, ...actions],
    steps: [...outcome.steps, ...steps],
  };
  return decideAll(next, at, settings);
}

function noteFlag(state: CallState): CallState {
  return { ...state, isAgentDone: isAgentDone(state) };
}

function changeFlag(before: CallState, after: CallState): CallAction[] {
  if (before.isAgentDone === after.isAgentDone) return [];
  return [{ kind: after.isAgentDone ? 'flag_set' : 'flag_clear' }];
}

function unsay(before: CallState, after: CallState): CallAction[] {
  const { saying } = before;
  if (saying === null || isTakenBack(before, saying) || isDoneWith(before, saying)) return [];
  if (after.saying === null || !isTakenBack(after, after.saying)) return [];
  // Its end alone is told, after its time: there is nothing to stop any more.
  if (isSpoken(after, after.saying)) return [];
  return [{ kind: 'unsay', commandId: saying.commandId }];
}

/** Its command was on its way when it was taken back, and has overtaken what does that. */
function unsayAgain(state: CallState, event: CallEvent): CallAction[] {
  const { saying } = state;
  if (event.kind !== 'playback_started' || saying === null || event.commandId !== saying.commandId) return [];
  return isTakenBack(state, saying) && !saying.isHeard
    ? [{ kind: 'unsay', commandId: saying.commandId, again: true }]
    : [];
}

function stepsOf(before: CallState, after: CallState, event: CallEvent): CallStep[] {
  return [
    ...when(before.startedAt === 0 && after.startedAt > 0, 'call_started'),
    ...speechStep(before, after),
    ...refusalStep(before, after, event),
    ...callerBackStep(before, after, event),
    ...linkStep(before, after, event),
    ...when(!isHoldingOn(before.words) && isHoldingOn(after.words), 'hold_on'),
    ...when(event.kind === 'settings_changed', 'settings_changed'),
    ...when(after.isOver, 'call_ended'),
  ];
}

/** Nobody was asked, or told: a refusal for good is for an operator to see. */
function refusalStep({ saying }: CallState, after: CallState, event: CallEvent): CallStep[] {
  if (event.kind !== 'command_failed' || event.isUnsent === true || saying === null) return [];
  const isNews = saying.refusedAt === 0 && (after.saying?.refusedAt ?? 0) > 0;
  return when(isNews, 'not_said', { purpose: saying.purpose });
}

/** A question that was none takes its number back too. */
function callerBackStep(before: CallState, after: CallState, event: CallEvent): CallStep[] {
  const isBack = before.checkins > after.checkins && event.kind !== 'command_failed';
  return when(isBack, 'caller_back', { after: before.checkins });
}

function linkStep(before: CallState, after: CallState, event: CallEvent): CallStep[] {
  if (event.kind !== 'link_failed') return [];
  const isNews = linkFailedAt(before) === undefined && linkFailedAt(after) !== undefined;
  return when(isNews, 'transfer_failed', { cause: event.cause });
}

/** By its playback, or by a sound of the agent: the line was heard and is over. */
function speechStep(before: CallState, after: CallState): CallStep[] {
  const { saying } = after;
  if (saying === null || isTakenBack(after, saying) || before.saying === null) return [];
  const isNews = !isSpoken(before, before.saying) && isSpoken(after, saying);
  return when(isNews, `${saying.purpose}_spoken`);
}

function when(isSo: boolean, name: CallStep['name'], detail: CallStep['detail'] = {}): CallStep[] {
  return isSo ? [{ name, detail }] : [];
}
