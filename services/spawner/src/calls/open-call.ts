import { AGENT_STARTING, begin, beginPhone, type CallEvent, type CallState } from '@greenroom/dead-air';
import type { CallRecord, OpenCallArguments, OpenCallResult } from '@greenroom/redis-schema';
import type { AgentRun } from '../agent-run.js';
import type { Ear } from './ear.js';
import { isPhoneCall } from './phone-call.js';
import { mayBeListenedTo } from './who-hears.js';

/** Whether its call has begun. Who is on the telephone LiveKit does not tell. */
export function hasBothSides({ phase, session }: AgentRun): boolean {
  if (phase !== 'serving' || session.owner !== 'caller' || session.status !== 'ready') return false;
  return session.callerJoinedAt !== undefined || isPhoneCall(session);
}

/** An agent that nobody listens to and that reports nothing may be talking all the time. */
export function mayBeToldOf(run: AgentRun, ear: Ear): boolean {
  return isPhoneCall(run.session) || mayBeListenedTo(run, ear) || ear.reportedAt > 0;
}

/** So the agent of one that is adopted has reported something. */
export function hasBegun(call: Pick<CallRecord, 'state'> | undefined): boolean {
  return ((call?.state as CallState | undefined)?.startedAt ?? 0) > 0;
}

/** The call of a launch. One that is there already stays as it is. */
export function callOf(
  { id, profile, session }: AgentRun,
  { callId, link }: Ear,
  at: number,
): OpenCallArguments {
  const isPhone = isPhoneCall(session);
  return {
    callId,
    sessionId: id,
    medium: isPhone ? 'phone' : 'livekit',
    state: isPhone ? beginPhone(at) : begin(at, 'livekit'),
    settings: profile.deadAirSettings ?? {},
    dueAt: undefined,
    // One that Redis has lost begins anew, answered as it was, so that it is watched and hung up.
    ...(isPhone && { facts: { room: session.roomName, answeredAt: String(at), ...(link && { link }) } }),
  };
}

/**
 * What its beginning is told with. What begins and ends a phone call, and who is there, the phone tells; it was opened before
 * its first agent was there. Of a LiveKit call it was perhaps not told that it has begun, where we died just then.
 */
export function beginningOf(
  run: AgentRun,
  ear: Ear,
  status: Exclude<OpenCallResult['status'], 'session_over'>,
  at: number,
): CallEvent[] {
  const begun: CallEvent = { kind: 'call_started', at };
  if (status !== 'taken' && !isPhoneCall(run.session)) return [begun, ...ear.callerIs(run, at)];
  const arrived: CallEvent = { kind: 'work_ended', id: AGENT_STARTING, at };
  return status === 'opened' ? [begun, arrived] : [arrived];
}
