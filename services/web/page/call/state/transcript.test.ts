import { describe, expect, test } from '@jest/globals';
import {
  addNote,
  addSaid,
  addSegment,
  addTyped,
  doubtTyped,
  failTyped,
  type Line,
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
  let lines = addTyped([], 'k1', 'Tell me a story, please!', 1);
  lines = addSaid(lines, said('user', 'tell me a story please'));
  lines = addTyped(lines, 'k2', 'Hello?', 2);
  lines = failTyped(lines, 'k2');
  expect(show(lines)).toEqual(['user: Tell me a story, please!', 'user: Hello?']);
  expect(lines.map(({ isConfirmed, typed }) => [isConfirmed, typed])).toEqual([
    [true, 'sent'],
    [false, 'failed'],
  ]);
  expect(toText(lines, 'Ada')).toBe('Ada: Tell me a story, please!');
});

test('what was typed to somebody who is lost is said to be doubtful, until it was heard or answered all the same', () => {
  const typed = (lines: readonly Line[]) => lines.filter((line) => line.typed).map((line) => line.typed);
  let lines: readonly Line[] = addTyped([], 'k1', 'One?', 1);
  lines = addSaid(lines, said('agent', 'One.'));
  lines = addTyped(addTyped(lines, 'k2', 'Two?', 2), 'k3', 'Three?', 3);
  lines = doubtTyped(lines);
  expect(typed(lines)).toEqual(['sent', 'doubtful', 'doubtful']);
  expect(doubtTyped(lines)).toBe(lines);
  expect(typed(doubtTyped(addTyped(addTyped([], 'k1', 'One?', 1), 'k2', 'Two?', 2), 'k1'))).toEqual([
    'doubtful',
    'sent',
  ]);
  lines = addSaid(lines, said('user', 'two'));
  expect(typed(lines)).toEqual(['sent', 'sent', 'doubtful']);
  // Sent again, it is the newest line, and on its way.
  lines = addTyped(addSaid(lines, said('agent', 'Two.')), 'k3', 'Three?', 9);
  expect(typed(lines)).toEqual(['sent', 'sent', 'sent']);
  expect(show(lines).at(-1)).toBe('user: Three?');
  expect(toText(doubtTyped(lines), 'Ada')).toContain('Ada: Three?');
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
