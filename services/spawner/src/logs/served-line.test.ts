import { describe, expect, test } from '@jest/globals';
import { serveLine } from './served-line.js';

const ESC = '\u001b';

describe('a line is shown', () => {
  test.each([
    ['plain', 'plain'],
    ['tab\tstays', 'tab\tstays'],
    ['grün 😀', 'grün 😀'],
    [`${ESC}[1;31mred${ESC}[0m text`, 'red text'],
    [`${ESC}]0;title\u0007text`, 'text'],
    [`${ESC}]8;;http://x${ESC}\\link${ESC}]8;;${ESC}\\`, 'link'],
    [`${ESC}(Bok`, 'ok'],
    ['be\u0007ll\u0000\u0008', 'bell'],
    ['c1 \u009b31m', 'c1 31m'],
    ['\u202eevil\u2066', 'evil'],
    ['10%\r55%\r100%', '100%'],
    ['a\u2028b', 'ab'],
    ['Event: transcription started', 'Event: transcription started'],
    ['trailing   ', 'trailing'],
  ])('%j as %j', (line, text) => {
    expect(serveLine(line)).toEqual({ kind: 'shown', text });
  });

  test('cut at 2,000 characters', () => {
    const line = serveLine('x'.repeat(16_000));
    expect(line).toEqual({ kind: 'shown', text: `${'x'.repeat(1999)}…` });
  });

  test.each(['', '   ', `${ESC}[2K`, '\r'])('not if nothing is to be seen: %j', (line) => {
    expect(serveLine(line)).toEqual({ kind: 'empty' });
  });
});

describe('what people said is withheld', () => {
  const transcript = JSON.stringify({
    event: 'transcript',
    role: 'user',
    text: 'my knee hurts',
    final: true,
  });
  test.each([
    transcript,
    ` ${transcript}`,
    `2026-01-01 INFO agent ${transcript}`,
    JSON.stringify({ level: 'info', message: transcript }),
    JSON.stringify({ text: 'my knee hurts', role: 'user', event: 'transcript' }),
    `${ESC}[32m${transcript}${ESC}[0m`,
    '{ "event" : "transcript", "text": "my knee',
    `{"role":"user","text":"my knee hurts ${'x'.repeat(17_000)}`,
    "{'event': 'transcript', 'text': 'my knee hurts'}",
    `progress\r${transcript}`,
    `${transcript}\rprogress`,
  ])('%s', (line) => {
    expect(serveLine(line)).toEqual({ kind: 'withheld' });
  });

  test('other events are not', () => {
    expect(serveLine('{"event":"ready"}').kind).toBe('shown');
    expect(serveLine('{"event":"error","message":"no transcript model"}').kind).toBe('shown');
  });
});
