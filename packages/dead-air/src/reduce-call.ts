import type { DeadAirSettings } from '@greenroom/contracts';
import type { CallAction, CallEvent, CallStep } from './events.js';
import { resolveSettings } from './settings.js';
import type { CallMedium, CallState } from './state.js';
import { transition } from './transition.js';

/** A call as it is stored. */
export interface StoredCall {
  readonly medium: CallMedium;
  readonly state: unknown;
  readonly settings: DeadAirSettings;
  readonly dueAt: number | undefined;
}

export interface ReducedCall {
  state: CallState;
  dueAt: number | undefined;
  actions: CallAction[];
  steps: CallStep[];
}

/** What these events, in this order, make of a call: pure, so that it may be asked again of the call as others left it. */
export function callReducer(...events: CallEvent[]): (call: StoredCall) => ReducedCall | 'unchanged' {
  return (call) => {
    if (!isOurs(call.state)) return 'unchanged';
    const settings = resolveSettings(call.settings, call.medium);
    const next: ReducedCall = { state: call.state, dueAt: call.dueAt, actions: [], steps: [] };
    for (const event of events) {
      const { state, dueAt, actions, steps } = transition(next.state, event, settings);
      next.state = state;
      next.dueAt = dueAt === null ? undefined : Math.ceil(dueAt);
      next.actions.push(...actions);
      next.steps.push(...steps);
    }
    return isSame(call, next) ? 'unchanged' : next;
  };
}

/** The state of a later version is left to those who understand it. */
function isOurs(state: unknown): state is CallState {
  return (state as { v?: unknown } | null)?.v === 1;
}

function isSame(call: StoredCall, next: ReducedCall): boolean {
  if (next.actions.length + next.steps.length > 0 || next.dueAt !== call.dueAt) return false;
  return JSON.stringify(next.state) === JSON.stringify(call.state);
}
