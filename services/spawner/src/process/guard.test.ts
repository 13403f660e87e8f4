import { describe, expect, test } from '@jest/globals';
import { whyUnsafeGroup, whyUnsafePid } from './guard.js';
import { readIdentity } from './identity.js';
import { readSelf, signalGroup, signalProcess } from './signal.js';

const self = { pid: 500, ppid: 400, pgid: 450 };

describe('what must never be signalled', () => {
  test.each([
    [0, 'reserved'],
    [1, 'reserved'],
    [-1, 'reserved'],
    [-500, 'reserved'],
    [Number(''), 'reserved'],
    [Number.NaN, 'not_a_pid'],
    [Number.POSITIVE_INFINITY, 'not_a_pid'],
    [12.5, 'not_a_pid'],
    [null, 'not_a_pid'],
    [undefined, 'not_a_pid'],
    ['600', 'not_a_pid'],
    [500, 'own_process'],
    [400, 'own_parent'],
  ])('pid %p: %s', (pid, reason) => {
    expect(whyUnsafePid(pid, self)).toBe(reason);
    expect(whyUnsafeGroup(pid, self)).toBe(reason);
  });

  test('our own group', () => {
    expect(whyUnsafeGroup(450, self)).toBe('own_group');
  });

  test('anything else may be', () => {
    expect(whyUnsafePid(600, self)).toBeUndefined();
    expect(whyUnsafeGroup(600, self)).toBeUndefined();
  });

  test('the guard stands before every signal', () => {
    const ours = readIdentity(process.pid, 'x');
    if (ours === undefined) throw new Error('no identity');
    expect(() => signalProcess(ours, 'SIGCONT')).toThrow('own_process');
    expect(() => signalGroup({ ...ours, pid: 4_000_000, pgid: readSelf().pgid }, 'SIGCONT')).toThrow(
      'own_group',
    );
    expect(() => signalGroup({ ...ours, pid: 4_000_000, pgid: 0 }, 'SIGCONT')).toThrow('reserved');
  });
});
