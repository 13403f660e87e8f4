import { longestSpeechMs, MAX_AGENT_RESTARTS } from './bounds.js';
import { nextMessage } from './checkins.js';
import type { Decision } from './decide.js';
import type { CallAction, CallStep, EndOfCall, SpeechPurpose } from './events.js';
import type { ResolvedDeadAirSettings } from './settings.js';
import { type CallState, commandIdOf, type CommandName } from './state.js';
import { askedCheckins } from './taken-back.js';

export interface Outcome {
  state: CallState;
  actions: CallAction[];
  steps: CallStep[];
}

/** Carries out a decision whose time has come. */
export function act(
  state: CallState,
  what: Decision['what'],
  at: number,
  settings: ResolvedDeadAirSettings,
): Outcome {
  switch (what) {
    case 'ask':
      return ask(state, at, settings);
    case 'give_up':
      return partWith(state, 'dead_air', at, settings);
    case 'agent_is_out_of_reach':
      return apologise(state, 'start_failed', at, settings);
    case 'too_long':
      return partWith(state, 'max_call_duration', at, settings);
    case 'agent_is_frozen':
      return replaceOrApologise(state, at, settings);
    case 'end':
      return end(state, state.farewell?.reason ?? 'dead_air');
    case 'end_again':
      return end(state, state.end?.reason ?? 'dead_air');
  }
}

function ask(state: CallState, at: number, settings: ResolvedDeadAirSettings): Outcome {
  const asked = { ...state, checkins: askedCheckins(state) + 1 };
  const detail = { number: asked.checkins, of: settings.maxCheckins };
  return say(asked, 'checkin', nextMessage(state, settings), at, detail);
}

function partWith(
  state: CallState,
  reason: EndOfCall,
  at: number,
  { goodbyeMessage }: ResolvedDeadAirSettings,
): Outcome {
  if (goodbyeMessage === null) return end(state, reason);
  return say({ ...state, farewell: { reason, at } }, 'goodbye', goodbyeMessage, at, { reason });
}

function replaceOrApologise(state: CallState, at: number, settings: ResolvedDeadAirSettings): Outcome {
  const isReplaced = settings.frozenAgentAction === 'restart' && state.restart.count < MAX_AGENT_RESTARTS;
  const step: CallStep = { name: 'agent_frozen', detail: { action: isReplaced ? 'restart' : 'end' } };
  const outcome = isReplaced ? replaceAgent(state, at) : apologise(state, 'agent_frozen', at, settings);
  return { ...outcome, steps: [step, ...outcome.steps] };
}

function replaceAgent(state: CallState, at: number): Outcome {
  const { commandId, commands } = nextCommand(state, 'restart');
  const restart = { at, count: state.restart.count + 1 };
  return {
    state: { ...state, commands, restart },
    actions: [{ kind: 'restart_agent', commandId }],
    steps: [],
  };
}

function apologise(
  state: CallState,
  reason: EndOfCall,
  at: number,
  { apologyMessage }: ResolvedDeadAirSettings,
): Outcome {
  return say({ ...state, farewell: { reason, at } }, 'apology', apologyMessage, at, { reason });
}

function say(
  state: CallState,
  purpose: SpeechPurpose,
  text: string,
  at: number,
  detail: CallStep['detail'],
): Outcome {
  const { commandId, commands } = nextCommand(state, purpose);
  const longestMs = longestSpeechMs(text);
  const saying = {
    commandId,
    purpose,
    askedAt: at,
    longestMs,
    isHeard: false,
    endedAt: 0,
    soundEndedAt: 0,
    isVoid: false,
    refusedAt: 0,
  };
  return {
    state: { ...state, commands, saying },
    actions: [{ kind: 'say', commandId, text, purpose }],
    steps: [{ name: purpose, detail }],
  };
}

function end(state: CallState, reason: EndOfCall): Outcome {
  const { commandId, commands } = nextCommand(state, 'end');
  return {
    state: { ...state, commands, end: { reason, commandId, refusedAt: 0 } },
    actions: [{ kind: 'end', commandId, reason }],
    steps: [{ name: 'call_ending', detail: { reason } }],
  };
}

function nextCommand(state: CallState, name: CommandName) {
  const number = (state.commands[name] ?? 0) + 1;
  return { commandId: commandIdOf(state, name, number), commands: { ...state.commands, [name]: number } };
}
