import { CodedError } from '@greenroom/contracts';
import { expect, test } from '@jest/globals';
import type { Client } from './authenticate.js';
import { OpenStreams } from './open-streams.js';

const open: Client = { kind: 'open', scope: '' };
const keyed = (scope: string): Client => ({ kind: 'keyed', scope });

function fill(streams: OpenStreams, client: Client, address: string, count: number): (() => void)[] {
  return Array.from({ length: count }, () => streams.open(client, address, () => undefined));
}

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    return error instanceof CodedError ? error.code : String(error);
  }
  return undefined;
}

test('one client may have so many, and another as many more', () => {
  const streams = new OpenStreams();
  const [leave] = fill(streams, open, '1.2.3.4', 100);
  const oneMore = () => streams.open(open, '1.2.3.4', () => undefined);
  expect(codeOf(oneMore)).toBe('too_many_streams');
  fill(streams, open, '1.2.3.5', 100);
  fill(streams, { kind: 'admin', scope: 'admin' }, '1.2.3.4', 200);
  leave?.();
  expect(codeOf(oneMore)).toBeUndefined();
});

test('a key stands for many users, and all together are bounded too', () => {
  const streams = new OpenStreams();
  fill(streams, keyed('ka'), 'x', 1000);
  expect(codeOf(() => fill(streams, keyed('ka'), 'y', 1))).toBe('too_many_streams');
  fill(streams, keyed('kb'), 'x', 1000);
  expect(codeOf(() => fill(streams, keyed('kc'), 'x', 1))).toBe('too_many_streams');
  expect(streams.size).toBe(2000);
});

test('all are ended at once', () => {
  const streams = new OpenStreams();
  let ended = 0;
  for (let i = 0; i < 3; i += 1) streams.open(open, 'x', () => (ended += 1));
  streams.endAll();
  expect([ended, streams.size]).toEqual([3, 0]);
});
