import type { EndReason } from '@greenroom/contracts';

export interface EndWords {
  readonly title: string;
  readonly text: string;
  /** It went as somebody wanted it; else something failed. */
  readonly isGood: boolean;
}

/** Why a call is over, for the caller. Some of these no caller will ever see; none is without words. */
export const END_WORDS: Readonly<Record<EndReason, EndWords>> = {
  caller_ended: good('Call ended', 'You ended the call.'),
  caller_left: good('Call ended', 'You were away for longer than the call is kept, so it was ended.'),
  caller_hung_up: good('Call ended', 'The phone was hung up.'),
  caller_never_joined: bad('Nobody came', 'The connection to the call did not come about in time.'),
  admin_ended: bad('Ended by an operator', 'An operator of this service ended the call.'),
  agent_ended: good('The agent said goodbye', 'The agent ended the call.'),
  agent_exited: good('The agent has left', 'The agent left, and with it the call ended.'),
  agent_crashed: bad('The agent was lost', 'The agent failed again and again, so the call could not go on.'),
  agent_hung: bad('The agent was lost', 'The agent stopped working, and no other could take its place.'),
  agent_over_limit: bad('The agent was lost', 'The agent needed more than it may have, and was stopped.'),
  agent_vanished: bad('The agent was lost', 'The agent lost its connection and did not come back.'),
  room_finished: bad('The room was closed', 'The room of this call was closed.'),
  dead_air: good('It stayed quiet', 'Nobody answered for a while, so the call was ended.'),
  max_call_duration: good('Time is up', 'The call had the longest time that calls may take here.'),
  agent_frozen: bad('The agent fell silent', 'The agent did not answer any more, so the call was ended.'),
  start_failed: bad('The agent could not start', 'No agent could be started for this call.'),
  session_timeout: good('Time is up', 'The call had the longest time that calls may take here.'),
  line_abandoned: good(
    'You left the line',
    'Nothing was heard of this page while you waited, so your place was given on.',
  ),
  pool_resized: bad('Call ended', 'The agent was withdrawn.'),
  pool_surplus: bad('Call ended', 'The agent was withdrawn.'),
  warm_agent_retired: bad('Call ended', 'The agent was withdrawn.'),
  host_drained: bad(
    'Service going down',
    'The machine of the agent was taken out of service, and there is no other.',
  ),
  host_lost: bad('The agent was lost', 'The machine of the agent was lost, and there is no other.'),
  no_host: bad('No agent available', 'There is no machine right now that could run an agent for this call.'),
  state_lost: bad('Call lost', 'The service lost its data, and this call with it.'),
  stale: bad('Call ended', 'The call was found broken, and tidied up.'),
};

/** Of a call that is over and of which nobody knows more. */
export const UNKNOWN_END: EndWords = good('Call over', 'This call is over.');

/** A server that is newer than this page may have reasons that it does not know. */
export function wordsForEnd(reason: string | undefined): EndWords {
  return (
    (reason !== undefined && Object.hasOwn(END_WORDS, reason) && END_WORDS[reason as EndReason]) ||
    UNKNOWN_END
  );
}

function good(title: string, text: string): EndWords {
  return { title, text, isGood: true };
}

function bad(title: string, text: string): EndWords {
  return { title, text, isGood: false };
}
