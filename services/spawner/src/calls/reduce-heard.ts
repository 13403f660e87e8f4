import { type CallEvent, type CallState, callReducer } from '@greenroom/dead-air';
import type { ReduceCall } from '@greenroom/redis-schema';

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
