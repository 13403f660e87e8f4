import { type CallEvent, type CallState, callReducer } from '@greenroom/dead-air';
import type { ReduceCall } from '@greenroom/redis-schema';

/** Where reports were read: the same however often that is. */
export interface Place {
  readonly source: 'log' | 'events';
  /** In bytes: where that reading began. */
  readonly from: number;
}

/** What is heard makes of a call what the rules say, apart from what is no news to it. */
export function reduceHeard(events: readonly CallEvent[]): ReduceCall {
  return (call) => {
    const { work } = call.state as CallState;
    const begun = new Set(Object.keys(work.open));
    for (const event of events) if (event.kind === 'work_started') begun.add(event.id);
    // The end of work that is not known to run is no news: the silence would count from it.
    return callReducer(...events.filter((it) => it.kind !== 'work_ended' || begun.has(it.id)))(call);
  };
}

/**
 * What an agent has reported. If we die before it counts as read, our successor finds it again, and perhaps more: the call keeps
 * how many of the reports of the latest reading it was told, and is told the rest.
 * @param others what is told besides
 */
export function reduceReports(
  reports: readonly CallEvent[],
  { launch, source, from }: Place & { launch: string },
  others: readonly CallEvent[],
): ReduceCall {
  const [name, reading] = [`told:${source}`, `${launch} ${from}`];
  return (call) => {
    const [knownReading, count] = (call.facts[name] ?? '').split('#');
    const known = knownReading === reading ? Number(count) : 0;
    const facts = { ...call.facts, [name]: `${reading}#${reports.length}` };
    const next = reduceHeard([...reports.slice(known), ...others])(call);
    const { state, dueAt } = call;
    return next === 'unchanged' ? { state, dueAt, actions: [], steps: [], facts } : { ...next, facts };
  };
}

/**
 * The caller spoke in the room, and the agent has told nothing of it. Where words are told of otherwise, sounds alone want no
 * answer; but whoever hears nothing at all tells no words either, so that it counts as a word that nobody has understood.
 */
export function reduceMissed(at: number): ReduceCall {
  return (call) => {
    if ((call.state as CallState).words.at === 0) return 'unchanged';
    return callReducer({ kind: 'caller_said', text: 'something', final: true, at })(call);
  };
}

/** An agent comes into a call in which nobody hears it yet. It comes once, however often that is told. */
export function reduceUnheard(launch: string, unheard: readonly CallEvent[]): ReduceCall {
  return (call) => {
    if (call.facts['unheard'] === launch) return 'unchanged';
    const facts = { ...call.facts, unheard: launch };
    const next = reduceHeard(unheard)(call);
    const { state, dueAt } = call;
    return next === 'unchanged' ? { state, dueAt, actions: [], steps: [], facts } : { ...next, facts };
  };
}

/** Who listens in a room says who speaks, whether that has changed or not. That nobody does is news only of one who did. */
export function reduceOverheard(events: readonly CallEvent[]): ReduceCall {
  return (call) => {
    const { agent, caller } = call.state as CallState;
    const isNews = (event: CallEvent): boolean => {
      if (event.kind === 'agent_speaking') return event.active || agent.active;
      if (event.kind === 'caller_speaking') return event.active || caller.active;
      return true;
    };
    return reduceHeard(events.filter(isNews))(call);
  };
}
