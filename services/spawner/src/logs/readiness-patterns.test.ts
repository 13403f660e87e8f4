import { describe, expect, test } from '@jest/globals';
import {
  createReadinessMatcher,
  DEFAULT_READINESS_PATTERNS,
  parseReadinessPattern,
} from './readiness-patterns.js';

describe('readiness by pattern', () => {
  const isWarmReady = createReadinessMatcher('prewarm');
  const isCallerReady = createReadinessMatcher('user');

  test.each([
    'Inworld TTS service initialized',
    '2026-01-01 12:00:00 | INFO | Pipeline#0::Source linked',
    'LiveKit transport created',
    '\u001b[32mPipeline started\u001b[0m',
  ])('warm: %s', (line) => {
    expect(isWarmReady(line)).toBe(true);
    expect(isCallerReady(line)).toBe(false);
  });

  test.each([
    'Connected to ROOM as agent',
    'INFO:bot:Connected to x',
    'Room joined',
    '[rtc] Participant joined: Ann',
  ])('for a caller: %s', (line) => {
    expect(isCallerReady(line)).toBe(true);
    expect(isWarmReady(line)).toBe(false);
  });

  test.each([
    'Connecting to ROOM',
    'Disconnected to',
    'connected to',
    'Reconnected to x',
    'NotConnected to',
    'Pipeline#1::Source',
    '',
  ])('neither: %s', (line) => {
    expect(isCallerReady(line)).toBe(false);
    expect(isWarmReady(line)).toBe(false);
  });

  test('a profile has patterns of its own, texts or expressions', () => {
    const user = ['[ok] 100% (a+b)', parseReadinessPattern('/^up in \\d+ ms$/i'), /ready/g, '/etc is a text'];
    const isReady = createReadinessMatcher('user', { prewarm: [], user });
    for (const line of [
      'x [ok] 100% (a+b)!',
      'UP in 12 ms',
      'ready',
      'ready',
      'ready',
      'so /etc is a text',
    ]) {
      expect([line, isReady(line)]).toEqual([line, true]);
    }
    expect(isReady('[ok] 100% (ab)')).toBe(false);
    expect(createReadinessMatcher('prewarm', { prewarm: [], user })('ready')).toBe(false);
  });

  test('a broken expression is refused where it is read', () => {
    expect(() => parseReadinessPattern('/(/')).toThrow(SyntaxError);
  });

  test('the sets share nothing', () => {
    const { prewarm, user } = DEFAULT_READINESS_PATTERNS;
    expect(prewarm.filter((it) => user.includes(it))).toEqual([]);
  });
});
