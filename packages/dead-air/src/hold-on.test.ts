import { describe, expect, it } from '@jest/globals';
import { asksToHoldOn } from './hold-on.js';

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
