import type { AgentRun } from '../agent-run.js';
import type { Ear } from './ear.js';
import { isPhoneCall } from './phone-call.js';

/** An agent that has reported nothing for so long may have nothing to report, or be frozen: then somebody listens. */
const LISTEN_AFTER_MS = 3_000;
/** The same while something goes on that the agent has told the beginning of. */
const LISTEN_AFTER_MS_WHILE_BUSY = 30_000;
/** Who has just reported something reports the rest, too. */
const TRUSTED_MS = 10_000;

/** Silence is watched where the profile says how, and in every phone call. */
export function isWatched({ profile, session }: AgentRun): boolean {
  return profile.deadAirSettings !== undefined || isPhoneCall(session);
}

/** Whether its room may be listened to. By SIP both sides of a phone call are there; a stream goes past it. */
export function mayBeListenedTo({ profile, session }: AgentRun, { link }: Ear): boolean {
  switch (profile.events) {
    case 'room':
      return true;
    case 'auto':
      return isPhoneCall(session) ? link === 'sip' : profile.deadAirSettings !== undefined;
    case 'agent':
      return false;
  }
}

/** Whether nobody tells what goes on unless somebody listens: the agent never has, or is not to be relied on. */
export function needsListener(run: AgentRun, ear: Ear): boolean {
  return mayBeListenedTo(run, ear) && (run.profile.events === 'room' || ear.reportedAt === 0);
}

/**
 * Whether what goes on in its call is unknown when the agent comes into it. The carrier hears the caller of a phone call and
 * not the agent: until that one is heard, by its reports or in the room, nobody knows that it is silent.
 */
export function isUnheardAtFirst(run: AgentRun, ear: Ear): boolean {
  if (!isPhoneCall(run.session)) return needsListener(run, ear);
  return ear.link !== undefined && (run.profile.events === 'room' || ear.reportedAt === 0);
}

/** Whether an agent that can hear its caller would have told of what was said from then on. Of a phone call the carrier tells. */
export function hasMissed({ session }: AgentRun, { reportedAt, tellsOfCaller }: Ear, from: number): boolean {
  if (isPhoneCall(session)) return false;
  return reportedAt === 0 || (tellsOfCaller && reportedAt < from);
}

/** How long the agent may still report something before somebody listens in its room. */
export function listenInMs({ profile }: AgentRun, { ongoing }: Ear): number {
  if (profile.events === 'room') return 0;
  return ongoing.size > 0 ? LISTEN_AFTER_MS_WHILE_BUSY : LISTEN_AFTER_MS;
}

/** Whether the agent itself can be relied on to tell who speaks, just now. */
export function isAgentTelling({ profile }: AgentRun, { reportedAt }: Ear, now: number): boolean {
  switch (profile.events) {
    case 'agent':
      return true;
    case 'auto':
      return now - reportedAt < TRUSTED_MS;
    case 'room':
      return false;
  }
}
