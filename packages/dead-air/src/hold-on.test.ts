import { describe, expect, it } from '@jest/globals';
import { asksToHoldOn } from './hold-on.js';
import { MINUTE, QUESTION, SECOND, started } from './testing/started-call.js';

const ASKING = [
  'hold on',
  'Hold on.',
  'HOLD ON A SECOND',
  'Okay, hold on, I have it somewhere.',
  'can you hold on please',
  'Yes, could you hold the line?',
  'hang on',
  'Hang on, let me find my card.',
  'one moment',
  'One moment, please!',
  'just a second',
  'Just a sec…',
  'uh just one minute please',
  'wait',
  'Wait a minute.',
  'please wait',
  'Wait, please.',
  'wait for a moment',
  'Give me a minute',
  'could you give me a few minutes please',
  'gimme a sec',
  'Bear with me.',
  'sorry bear with me a moment',
  'I’ll be right back',
  'let me check',
  'Um, let me just grab a pen',
  'Yeah. One second.',
  'so hold on a moment',
];

const NOT_ASKING = [
  '',
  'yes',
  "don't hold on",
  'please do not hold on to that',
  'I hold on to my old card',
  'hold on to the rail you said',
  'there was one moment when it hurt',
  'it took a minute',
  'I saw him a second ago',
  'how long do I have to wait',
  'I have been waiting a minute',
  "I can't wait",
  'the second of May',
  'one moment of peace',
  'I will be there in a moment',
  'threshold once',
  'I am back',
  'let me in',
  'Wait, what did you say?',
  'wait that is wrong',
  'a minute later it stopped',
];

describe('asking to hold on', () => {
  it.each(ASKING)('is heard in "%s"', (text) => expect(asksToHoldOn(text)).toBe(true));
  it.each(NOT_ASKING)('is not heard in "%s"', (text) => expect(asksToHoldOn(text)).toBe(false));
});

describe('holding on', () => {
  it('is over with the next words, not with a noise', () => {
    const call = started();
    call.tell(1 * SECOND, { kind: 'caller_said', text: 'hold on', final: true });
    call.tell(2 * SECOND, { kind: 'caller_speaking', active: true });
    call.tell(3 * SECOND, { kind: 'caller_speaking', active: false });
    call.runTo(28 * SECOND);
    expect(call.timeline()).toEqual([[28, 'say', QUESTION]]);
  });

  it('counts the later of words that were read at once', () => {
    const call = started();
    call.tell(1 * SECOND, { kind: 'caller_said', text: 'hold', final: false });
    call.tell(1 * SECOND, { kind: 'caller_said', text: 'hold on', final: true });
    call.runTo(26 * SECOND);
    expect(call.timeline()).toEqual([[26, 'say', QUESTION]]);

    const back = started();
    back.tell(1 * SECOND, { kind: 'caller_said', text: 'hold on', final: true });
    back.tell(1 * SECOND, { kind: 'caller_said', text: 'I am back', final: true });
    back.tell(2 * SECOND, { kind: 'agent_speaking', active: true });
    back.tell(3 * SECOND, { kind: 'agent_speaking', active: false });
    back.runTo(10 * SECOND);
    expect(back.timeline()).toEqual([[10, 'say', QUESTION]]);
  });

  it('needs no answer: the agent is not frozen', () => {
    const call = started({ silence_timeout_hold_on: 100 });
    call.tell(1 * SECOND, { kind: 'caller_said', text: 'hold on', final: true });
    call.runTo(90 * SECOND);
    expect(call.timeline()).toEqual([]);
  });

  it('ends with 5 s after the last question, as ever', () => {
    const call = started();
    call.tell(0, { kind: 'caller_said', text: 'hold on', final: true });
    call.runTo(2 * MINUTE);
    expect(call.timeline()).toEqual([
      [25, 'say', QUESTION],
      [51, 'say', QUESTION],
      [57, 'end', 'dead_air'],
    ]);
  });
});

describe('"hold on" in another language', () => {
  const phrases = ['einen Moment', 'Augenblick, bitte', '少々お待ちください'];

  it.each([
    'Einen Moment, ich suche es.',
    'Ja - einen moment bitte!',
    'Augenblick bitte',
    '少々お待ちください。',
  ])('is heard in "%s" where it is named', (text) => {
    expect(asksToHoldOn(text, phrases)).toBe(true);
    expect(asksToHoldOn(text)).toBe(false);
  });

  it.each(['Momente', 'Keinen Moment länger', 'Einen. Moment.', 'einen schönen Tag'])(
    'is not heard in "%s"',
    (text) => expect(asksToHoldOn(text, phrases)).toBe(false),
  );

  it('gives the longer patience, and English goes on to', () => {
    for (const text of ['Einen Moment', 'hold on']) {
      const call = started({ hold_on_phrases: phrases });
      call.tell(1 * SECOND, { kind: 'caller_said', text, final: true });
      call.runTo(26 * SECOND);
      expect(call.timeline()).toEqual([[26, 'say', QUESTION]]);
    }
  });
});
