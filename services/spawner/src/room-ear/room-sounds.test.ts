import { describe, expect, test } from '@jest/globals';
import { soundsOf } from './room-sounds.js';

const caller = { identity: 'caller-1', attributes: { userName: 'Ada' }, isOnThePhone: false };
const phone = { identity: 'sip_+15550100001', attributes: {}, isOnThePhone: true };
const plainBot = { identity: 'agent-session_x-g1', attributes: {}, isOnThePhone: false };
const bot = (state: string) => ({
  identity: 'agent-AJ_1',
  attributes: { 'lk.agent.state': state },
  isOnThePhone: false,
});

describe('who speaks in a room', () => {
  test.each([
    ['nobody', [caller, plainBot], [], { agent: false, caller: false }],
    ['the caller', [caller, bot('listening')], ['caller-1'], { agent: false, caller: true }],
    ['a caller by SIP', [phone, plainBot], ['sip_+15550100001'], { agent: false, caller: true }],
    ['an agent that is heard', [caller, plainBot], ['agent-session_x-g1'], { agent: true, caller: false }],
    ['an agent that says so', [caller, bot('speaking')], [], { agent: true, caller: false }],
    ['both', [caller, bot('speaking')], ['caller-1', 'agent-AJ_1'], { agent: true, caller: true }],
    [
      'an agent whose last sound is still counted',
      [bot('listening')],
      ['agent-AJ_1'],
      { agent: false, caller: false },
    ],
    ['somebody who has left', [plainBot], ['caller-1'], { agent: false, caller: false }],
  ])('%s', (_what, participants, speaking, sounds) => {
    expect(soundsOf(participants, new Set(speaking))).toEqual(sounds);
  });

  test('a caller who says to be an agent is none', () => {
    const forged = {
      identity: 'caller-1',
      attributes: { 'lk.agent.state': 'speaking' },
      isOnThePhone: false,
    };
    expect(soundsOf([forged], new Set())).toEqual({ agent: false, caller: false });
    expect(soundsOf([forged], new Set(['caller-1']))).toEqual({ agent: false, caller: true });
  });
});
