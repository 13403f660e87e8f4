import { describe, expect, test } from '@jest/globals';
import {
  addNote,
  addSaid,
  addSegment,
  addTyped,
  doubtTyped,
  failTyped,
  type Line,
  sendTyped,
  settleTyped,
  toAnnounce,
  toText,
} from './transcript.js';

let at = 1_000;
const said = (role: 'user' | 'agent', text: string, final = true) => ({ role, text, final, at: (at += 1) });
const segment = (id: string, role: 'user' | 'agent', text: string, final = false) => ({
  id,
  ...said(role, text, final),
});
const show = (lines: readonly Line[]) =>
  lines.map(({ role, text, isFinal }) => `${role}${isFinal ? '' : '…'}: ${text}`);

describe('an agent that sends both', () => {
  test('has each of its sentences once, growing while it is spoken', () => {
    let lines = addSegment([], segment('s1', 'agent', 'Hello,'));
    lines = addSegment(lines, segment('s1', 'agent', 'Hello, Ada.'));
    expect(show(lines)).toEqual(['agent…: Hello, Ada.']);
    lines = addSaid(lines, said('agent', 'Hello, Ada. What can I do?'));
    lines = addSegment(lines, segment('s1', 'agent', 'Hello, Ada. What can', true));
    expect(show(lines)).toEqual(['agent: Hello, Ada. What can I do?']);
  });

  test('in the other order, too: the words come after the line', () => {
    let lines = addSaid([], said('user', 'what time is it'));
    lines = addSegment(lines, segment('s1', 'user', 'What time is it?', true));
    expect(show(lines)).toEqual(['user: what time is it']);
  });

  test('says the same again, and it is there twice', () => {
    let lines = addSegment([], segment('s1', 'agent', 'It is noon.', true));
    lines = addSaid(lines, said('agent', 'It is noon.'));
    lines = addSegment(lines, segment('s2', 'agent', 'It is noon.', true));
    expect(lines).toHaveLength(2);
    lines = addSaid(lines, said('agent', 'It is noon.'));
    expect(show(lines)).toEqual(['agent: It is noon.', 'agent: It is noon.']);
  });

  test('was interrupted: what was said of it stays', () => {
    let lines = addSegment([], segment('s1', 'agent', 'Once upon a time there was'));
    lines = addSegment(lines, segment('s2', 'user', 'hold on', true));
    lines = addSaid(lines, said('user', 'hold on'));
    lines = addSaid(lines, said('agent', 'Once upon a time'));
    expect(show(lines)).toEqual(['agent: Once upon a time', 'user: hold on']);
  });
});

test('the stream alone: words that change become the final ones', () => {
  let lines = addSaid([], said('user', 'what', false));
  lines = addSaid(lines, said('user', 'what thyme', false));
  lines = addSaid(lines, said('user', 'what time is it'));
  lines = addSaid(lines, said('agent', 'It is noon.'));
  lines = addSaid(lines, said('user', 'thanks'));
  lines = addSaid(lines, said('user', 'thanks'));
  expect(show(lines)).toEqual([
    'user: what time is it',
    'agent: It is noon.',
    'user: thanks',
    'user: thanks',
  ]);
});

test('LiveKit alone: each segment is a line', () => {
  let lines = addSegment([], segment('s1', 'agent', 'Hello.', true));
  lines = addSegment(lines, segment('s2', 'user', 'hi'));
  lines = addSegment(lines, segment('s2', 'user', 'hi there', true));
  lines = addSegment(lines, segment('s3', 'agent', 'Yes?', true));
  // This one crashed in the middle of a word; the next speaks for itself.
  lines = addSegment(lines, segment('s4', 'agent', 'Once upon'));
  lines = addSegment(lines, segment('s5', 'agent', 'Hello again.', true));
  expect(show(lines)).toEqual([
    'agent: Hello.',
    'user: hi there',
    'agent: Yes?',
    'agent…: Once upon',
    'agent: Hello again.',
  ]);
});

test('what is typed is there at once, and once, as it was typed', () => {
  let lines: readonly Line[] = sendTyped(addTyped([], 'k1', 'Tell me a story, please!', 1), 'k1');
  lines = addSaid(lines, said('user', 'tell me a story please'));
  lines = addTyped(lines, 'k2', 'Hello?', 2);
  lines = failTyped(lines, 'k2');
  expect(show(lines)).toEqual(['user: Tell me a story, please!', 'user: Hello?']);
  expect(lines.map(({ isConfirmed, typed }) => [isConfirmed, typed])).toEqual([
    [true, 'confirmed'],
    [false, 'failed'],
  ]);
  expect(toText(lines, 'Ada')).toBe('Ada: Tell me a story, please!');
});

const typed = (lines: readonly Line[]) => lines.filter((line) => line.typed).map((line) => line.typed);
const send = (lines: readonly Line[], key: string, text: string) =>
  sendTyped(addTyped(lines, key, text, (at += 1)), key);

test('what was typed to somebody who is lost is said to be doubtful, until it is confirmed all the same', () => {
  let lines = send([], 'k1', 'One?');
  lines = addSaid(addSaid(lines, said('user', 'one')), said('agent', 'One.'));
  lines = send(send(lines, 'k2', 'Two?'), 'k3', 'Three?');
  // The end of a sentence, or the greeting of another agent, is no answer to what was typed meanwhile.
  lines = addSegment(lines, segment('s9', 'agent', 'Once upon a time'));
  lines = doubtTyped(lines);
  expect(typed(lines)).toEqual(['confirmed', 'doubtful', 'doubtful']);
  expect(doubtTyped(lines)).toBe(lines);
  expect(typed(doubtTyped(send(send([], 'k1', 'One?'), 'k2', 'Two?'), 'k1'))).toEqual(['doubtful', 'sent']);
  lines = addSaid(lines, said('user', 'two'));
  expect(typed(lines)).toEqual(['confirmed', 'confirmed', 'doubtful']);
  // Sent again, it is the newest line, and on its way.
  lines = addTyped(addSaid(lines, said('agent', 'Two.')), 'k3', 'Three?', 9);
  expect(typed(lines)).toEqual(['confirmed', 'confirmed', 'waiting']);
  expect(show(lines).at(-1)).toBe('user: Three?');
  lines = sendTyped(lines, 'k3');
  expect(typed(lines).at(-1)).toBe('sent');
  expect(toText(doubtTyped(lines), 'Ada')).toContain('Ada: Three?');
  // What came through, for all that, is not sent anew nor called lost.
  lines = addSaid(lines, said('user', 'three'));
  expect(sendTyped(failTyped(doubtTyped(lines), 'k3'), 'k3')).toBe(lines);
});

test('what waits has gone to nobody: it is not doubtful, nothing confirms it, and hanging up it was not said', () => {
  let lines: readonly Line[] = addTyped([], 'k1', 'What time is it?', 1);
  expect(doubtTyped(lines)).toBe(lines);
  lines = addSaid(lines, said('user', 'what time is it'));
  expect(typed(lines)).toEqual(['waiting']);
  expect(toText(lines, 'Ada')).toBe('Ada: what time is it');
  lines = settleTyped(send(lines, 'k2', 'Hello?'));
  expect(typed(lines)).toEqual(['failed', 'doubtful']);
  expect(toText(lines, 'Ada')).toBe('Ada: what time is it\nAda: Hello?');
});

test('an agent that tells the stream nothing confirms nothing: of it, a later line is an answer', () => {
  let lines: readonly Line[] = addSegment(send([], 'k1', 'One?'), segment('s1', 'agent', 'One.', true));
  lines = doubtTyped(send(lines, 'k2', 'Two?'));
  expect(typed(lines)).toEqual(['sent', 'doubtful']);
});

test('nothing said is no line, and a note is not told twice in a row', () => {
  let lines = addSaid(addSegment([], segment('s1', 'agent', ' ')), said('user', '…'));
  expect(lines).toEqual([]);
  lines = addNote(addNote(lines, 'It was quiet.', 1), 'It was quiet.', 2);
  lines = addSaid(lines, said('agent', 'Are you there?'));
  expect(toText(lines, '')).toBe('[It was quiet.]\nAgent: Are you there?');
});

test('two lines that are complete at once are both announced; what was typed here is not, and no half sentence is', () => {
  let lines = addTyped([], 'k1', 'Hello?', 1);
  const before = toAnnounce(lines);
  lines = addSaid(addSaid(lines, said('agent', 'One moment.')), said('agent', 'It is noon.'));
  lines = addSegment(lines, segment('s1', 'agent', 'And'));
  expect(before).toEqual([]);
  expect(show(toAnnounce(lines))).toEqual(['agent: One moment.', 'agent: It is noon.']);
});

test('a line that is sent again brings no older one back to be read out', () => {
  let lines: readonly Line[] = ['One.', 'Two.', 'Three.', 'Four.'].reduce<Line[]>(
    (before, text) => addSaid(before, said('agent', text)),
    [],
  );
  lines = addSaid(doubtTyped(send(lines, 'k1', 'Hello?')), said('agent', 'Five.'));
  const before = show(toAnnounce(lines));
  expect(before).toEqual(['agent: Two.', 'agent: Three.', 'agent: Four.', 'user: Hello?', 'agent: Five.']);
  lines = addTyped(lines, 'k1', 'Hello?', 9);
  expect(show(toAnnounce(lines))).toEqual(before.filter((line) => line !== 'user: Hello?'));
});
