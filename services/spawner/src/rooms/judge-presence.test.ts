import { describe, expect, test } from '@jest/globals';
import { parseSession, type SeenInRoom, type SessionRecord } from '@greenroom/redis-schema';
import { hasNews, nextDeadline } from './judge-presence.js';

const LAUNCH = 'launch-2';
const RULES = { joinGraceMs: 100, leaveGraceMs: 30, agentGraceMs: 15 };

/** A call that got its room at 1000. */
function call(fields: Partial<SessionRecord> = {}): SessionRecord {
  const known = parseSession({ status: 'ready', owner: 'caller', createdAt: '400', assignedAt: '1000' });
  return { ...known, ...fields };
}

const warm = (fields: Partial<SessionRecord> = {}) => call({ owner: 'pool', status: 'pooled', ...fields });

describe('the next deadline', () => {
  test.each<[string, SessionRecord, object, number | undefined]>([
    ['of a caller who has not come', call(), {}, 1100],
    ['of one whose JOIN_GRACE is 0', call(), { joinGraceMs: 0 }, undefined],
    ['of one who is there', call({ callerJoinedAt: 1010 }), {}, undefined],
    ['of one who left', call({ callerJoinedAt: 1010, callerLeftAt: 1050 }), {}, 1080],
    ['of nobody', warm(), {}, undefined],
    [
      'of one on the telephone',
      call({ callId: 'v3:x', callerJoinedAt: 1010, callerLeftAt: 1050 }),
      {},
      undefined,
    ],
    ['of a telephone that was not answered', call({ callId: 'v3:x' }), {}, 1100],
    ['of an agent that is away', warm({ agentSeenLaunch: LAUNCH, agentLeftAt: 1020 }), {}, 1035],
    ['of both: the sooner', call({ agentSeenLaunch: LAUNCH, agentLeftAt: 1020 }), {}, 1035],
    [
      'of the agent of an earlier launch',
      warm({ agentSeenLaunch: 'launch-1', agentLeftAt: 1020 }),
      {},
      undefined,
    ],
    [
      'of an agent that starts',
      call({ status: 'starting', agentSeenLaunch: LAUNCH, agentLeftAt: 1020 }),
      {},
      1100,
    ],
    ['waits until an absence proves anything', call(), { notBefore: 5000 }, 5000],
  ])('%s', (_, session, rules, expected) => {
    expect(nextDeadline(session, LAUNCH, { ...RULES, ...rules })).toBe(expected);
  });
});

describe('Redis hears of', () => {
  const known = { callerJoinedAt: 1010, agentSeenLaunch: LAUNCH };
  const away = { callerLeftAt: 1050, agentLeftAt: 1050 };

  test.each<[boolean, string, SessionRecord, Partial<SeenInRoom>]>([
    [true, 'a caller who has come', call(), { caller: 'present' }],
    [false, 'a caller who is still there', call(known), { caller: 'present' }],
    [true, 'a caller who is back', call({ ...known, ...away }), { caller: 'present' }],
    [true, 'a caller who has gone', call(known), { caller: 'absent' }],
    [false, 'a caller on the telephone', call({ ...known, callId: 'v3:x' }), { caller: 'absent' }],
    [
      false,
      'one on the telephone who is in the room besides',
      call({ ...known, callId: 'v3:x' }),
      { caller: 'present' },
    ],
    [
      false,
      'a caller who is away, within its grace',
      call({ ...known, ...away }),
      { caller: 'absent', seenAt: 1079 },
    ],
    [
      true,
      'a caller who is away, and whose grace is over',
      call({ ...known, ...away }),
      { caller: 'absent', seenAt: 1080 },
    ],
    [false, 'a caller who has not come, in time', call(), { caller: 'absent', seenAt: 1099 }],
    [true, 'a caller who has not come, too late', call(), { caller: 'absent', seenAt: 1100 }],
    [false, 'a caller on the way in', call({ ...known, ...away }), { caller: 'unknown', seenAt: 9000 }],
    [false, 'nobody with a warm agent', warm(known), { caller: 'absent', seenAt: 9000 }],
    [true, 'an agent that has come', call(), { agent: 'present' }],
    [true, 'an agent of a new launch', call({ ...known, agentSeenLaunch: 'launch-1' }), { agent: 'present' }],
    [false, 'an agent that is still there', call(known), { agent: 'present' }],
    [true, 'an agent that has gone', warm(known), { agent: 'absent' }],
    [true, 'an agent that is back', warm({ ...known, ...away }), { agent: 'present' }],
    [
      false,
      'an agent that is away, within its grace',
      warm({ ...known, ...away }),
      { agent: 'absent', seenAt: 1064 },
    ],
    [
      true,
      'an agent that is away for too long',
      warm({ ...known, ...away }),
      { agent: 'absent', seenAt: 1065 },
    ],
    [false, 'an agent that never was there', warm(), { agent: 'absent', seenAt: 9000 }],
    [
      false,
      'an agent that is being started again',
      call({ ...known, status: 'restarting' }),
      { agent: 'absent' },
    ],
  ])('%s: %s', (expected, _, session, seen) => {
    const all: SeenInRoom = { seenAt: 1060, caller: 'unknown', agent: 'unknown', ...seen };
    expect(hasNews(session, LAUNCH, all, RULES)).toBe(expected);
  });
});
