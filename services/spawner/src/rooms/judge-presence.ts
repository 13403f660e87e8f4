import { isOnThePhone } from '../calls/phone-call.js';
import type { EpochMs, PresenceRules, SeenInRoom, SessionRecord } from '@greenroom/redis-schema';

/** By when somebody who is missing in the room of this launch has to be there; undefined while nobody is missed. */
export function nextDeadline(
  session: SessionRecord,
  launch: string,
  rules: PresenceRules,
): EpochMs | undefined {
  const deadlines = [callerDeadline(session, rules), agentDeadline(session, launch, rules)].filter(
    (at) => at !== undefined,
  );
  if (deadlines.length === 0) return undefined;
  // A look before would prove nothing.
  return Math.max(Math.min(...deadlines), rules.notBefore ?? 0);
}

/** Whether Redis has to hear what was seen: who came or went, or whose time is over. */
export function hasNews(
  session: SessionRecord,
  launch: string,
  seen: SeenInRoom,
  rules: PresenceRules,
): boolean {
  const isOver = (deadline: EpochMs | undefined) => deadline !== undefined && seen.seenAt >= deadline;
  return hasNewsOfCaller() || hasNewsOfAgent();

  function hasNewsOfCaller(): boolean {
    if (session.owner !== 'caller' || isOnThePhone(session)) return false;
    const { callerJoinedAt, callerLeftAt } = session;
    switch (seen.caller) {
      case 'present':
        return callerJoinedAt === undefined || callerLeftAt !== undefined;
      case 'absent':
        return (
          (callerJoinedAt !== undefined && callerLeftAt === undefined) ||
          isOver(callerDeadline(session, rules))
        );
      case 'unknown':
        return false;
    }
  }

  function hasNewsOfAgent(): boolean {
    const wasSeen = session.agentSeenLaunch === launch;
    switch (seen.agent) {
      case 'present':
        return !wasSeen || session.agentLeftAt !== undefined;
      case 'absent':
        return (
          wasSeen &&
          isServing(session) &&
          (session.agentLeftAt === undefined || isOver(agentDeadline(session, launch, rules)))
        );
      case 'unknown':
        return false;
    }
  }
}

function callerDeadline(
  session: SessionRecord,
  { joinGraceMs, leaveGraceMs }: PresenceRules,
): EpochMs | undefined {
  if (session.owner !== 'caller' || isOnThePhone(session)) return undefined;
  if (session.callerLeftAt !== undefined) return session.callerLeftAt + leaveGraceMs;
  if (session.callerJoinedAt !== undefined || joinGraceMs === 0) return undefined;
  return (session.assignedAt ?? session.createdAt) + joinGraceMs;
}

function agentDeadline(
  session: SessionRecord,
  launch: string,
  { agentGraceMs }: PresenceRules,
): EpochMs | undefined {
  if (session.agentSeenLaunch !== launch || !isServing(session)) return undefined;
  return session.agentLeftAt === undefined ? undefined : session.agentLeftAt + agentGraceMs;
}

function isServing({ status }: SessionRecord): boolean {
  return status === 'ready' || status === 'pooled';
}
