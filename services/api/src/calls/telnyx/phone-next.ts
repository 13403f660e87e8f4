import { type CallEvent, callReducer } from '@greenroom/dead-air';
import type { CallRecord, NextCall } from '@greenroom/redis-schema';

/** A call as it is, for a step that only adds to it. */
export function asItIs({ state, dueAt }: CallRecord): NextCall {
  return { state, dueAt, actions: [], steps: [] };
}

/** What these events, in order, make of a call. */
export function applyEvents(call: CallRecord, events: readonly CallEvent[]): NextCall {
  const next = callReducer(...events)(call);
  return next === 'unchanged' ? asItIs(call) : next;
}
