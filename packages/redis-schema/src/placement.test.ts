import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { waitFor } from '@greenroom/test-kit';
import type { StartArguments, HostFields } from './index.js';
import { claim, heartbeat, look, redis, refill, schema, start, useRedis } from './testing/steps.js';

type Placement = 'spread' | 'pack';
const HOSTS = ['a', 'b', 'c'] as const;
type Host = (typeof HOSTS)[number];
const OFFER_MS = 500;
const GIB = 2 ** 30;
/** Hosts that were woken for a launch, in order. */
let woken: Host[] = [];
let leave: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(leave.map((it) => it()));
  leave = [];
  woken = [];
});
useRedis(async () => {
  for (const host of HOSTS) await schema.hosts.register(host, profiles('default'));
  for (const host of HOSTS) await beat(host);
});

function profiles(...names: string[]) {
  return names.map((name) => ({ name, voices: [], poolTarget: 5 }));
}

function beat(host: Host, fields: Partial<HostFields> = {}) {
  return heartbeat(host, { capacity: 10, takesOffers: true, memoryFree: GIB, ...fields });
}

async function listenAs(...hosts: Host[]): Promise<void> {
  for (const host of hosts) leave.push(await schema.bus.listen(`host:${host}:wake`, () => woken.push(host)));
}

async function list(overrides: Partial<StartArguments> = {}) {
  const result = await start({ maxSessions: 500, ...overrides });
  if (!('session' in result)) throw new Error(result.status);
  return result.session;
}

type ClaimOptions = Parameters<typeof look>[1];

function lookFrom(host: Host, options: ClaimOptions = {}) {
  return look(host, { hostCapacity: 10, ...options });
}

async function take(host: Host, options: ClaimOptions = {}) {
  const ref = await claim(host, { hostCapacity: 10, ...options });
  await schema.sessions.markReady(ref, 1000);
  return ref.sessionId;
}

/** Calls on a host, claimed while nobody else hears of anything. */
async function fill(host: Host, calls: number): Promise<void> {
  for (let i = 0; i < calls; i += 1) {
    await list();
    await take(host);
  }
}

async function offerOver(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, OFFER_MS + 30));
}

async function hostAfter(first: Host, placement?: Placement): Promise<Host> {
  const session = await list();
  const claim = await lookFrom(first, { placement });
  if (claim.status === 'claimed') return first;
  const best = await waitFor(() => woken.at(-1));
  expect(await take(best, { placement })).toBe(session.id);
  return best;
}

describe('the host that looks first', () => {
  test('takes a launch itself where it is best placed', async () => {
    await fill('b', 2);
    await fill('c', 1);
    await listenAs(...HOSTS);
    const session = await list();
    expect(await take('a')).toBe(session.id);
  });

  test('wakes the one where it is better placed, and leaves it to that one', async () => {
    await fill('a', 2);
    await fill('b', 1);
    await listenAs(...HOSTS);
    const session = await list();
    expect(await lookFrom('a')).toEqual({ status: 'none', nextDueMs: OFFER_MS });
    await waitFor(() => woken.length > 0);
    expect(woken).toEqual(['c']);
    expect(await lookFrom('b')).toMatchObject({ status: 'none' });
    expect(await take('c')).toBe(session.id);
    expect(woken).toEqual(['c']);
  });

  test('takes it all the same when nobody else listens', async () => {
    await fill('a', 3);
    const session = await list();
    expect(await take('a')).toBe(session.id);
  });

  test('offers it to the next best where the best does not listen', async () => {
    await fill('a', 3);
    await fill('b', 2);
    await listenAs('b');
    const session = await list();
    expect(await lookFrom('a')).toMatchObject({ status: 'none' });
    await waitFor(() => woken.includes('b'));
    expect(await take('b')).toBe(session.id);
  });

  test('goes on to the next launch, which may be its own', async () => {
    await fill('a', 1);
    await listenAs(...HOSTS);
    const sessions = [await list(), await list(), await list()];
    // One each for b and c, the least loaded; then all are alike.
    expect(await take('a')).toBe(sessions[2]?.id);
    await waitFor(() => woken.length === 2);
    expect(await Promise.all([take('b'), take('c')])).toEqual([sessions[0]?.id, sessions[1]?.id]);
  });

  test('that is full offers what is due at once: it must not wait for another to look', async () => {
    await fill('a', 10);
    await listenAs('b', 'c');
    const session = await list();
    expect(await lookFrom('a')).toEqual({ status: 'host_full' });
    await waitFor(() => woken.length === 1);
    expect(await take('b')).toBe(session.id);
  });
});

describe('an offer', () => {
  test('that its host does not take in time is anybody’s', async () => {
    await fill('a', 3);
    await listenAs('b');
    const session = await list();
    expect(await lookFrom('a')).toMatchObject({ status: 'none', nextDueMs: OFFER_MS });
    const again = await lookFrom('a');
    expect(again).toMatchObject({ status: 'none' });
    if (again.status === 'none') expect(again.nextDueMs).toBeLessThanOrEqual(OFFER_MS);
    await offerOver();
    expect(await take('a')).toBe(session.id);
  });

  test('is not made again to a host that hangs, until that one is heard', async () => {
    await fill('a', 3);
    await fill('c', 3);
    await listenAs('b');
    await list();
    await lookFrom('a');
    await offerOver();
    await take('a');
    const second = await list();
    expect(await take('a')).toBe(second.id);
    await beat('b');
    await list();
    expect(await lookFrom('a')).toMatchObject({ status: 'none', nextDueMs: OFFER_MS });
  });

  test('of a full host, not taken in time, goes to the next best', async () => {
    await fill('a', 10);
    await fill('c', 1);
    await listenAs('b', 'c');
    const session = await list();
    await lookFrom('a');
    await offerOver();
    await lookFrom('a');
    await waitFor(() => woken.includes('c'));
    expect(woken).toEqual(['b', 'c']);
    expect(await take('c')).toBe(session.id);
  });

  test('to a host that went away meanwhile binds nobody', async () => {
    await fill('a', 3);
    await listenAs('b');
    const session = await list();
    await lookFrom('a');
    await beat('b', { draining: true });
    expect(await take('a')).toBe(session.id);
  });

  test('is not made to a host of an older version, which would not hear it', async () => {
    await fill('a', 3);
    await listenAs('b', 'c');
    for (const host of ['b', 'c'] as const) await beat(host, { takesOffers: false });
    const session = await list();
    expect(await take('a')).toBe(session.id);
  });
});

describe('the best host', () => {
  test.each(HOSTS)('is the same whoever looks first (%s)', async (first) => {
    await fill('a', 3);
    await fill('b', 1);
    await fill('c', 2);
    await listenAs(...HOSTS);
    expect(await hostAfter(first, 'spread')).toBe('b');
  });

  test.each(HOSTS)('is the fullest that has room, with PLACEMENT=pack (%s looks first)', async (first) => {
    await fill('a', 3);
    await fill('b', 1);
    await listenAs(...HOSTS);
    expect(await hostAfter(first, 'pack')).toBe('a');
  });

  test('by load, not by number: a small host fills up as a large one does', async () => {
    await beat('b', { capacity: 100 });
    await fill('a', 1);
    await fill('b', 5);
    await fill('c', 1);
    await listenAs(...HOSTS);
    expect(await hostAfter('a', 'spread')).toBe('b');
  });

  test('among equals is the one with more memory', async () => {
    await beat('c', { memoryFree: 2 * GIB });
    await listenAs(...HOSTS);
    expect(await hostAfter('a', 'spread')).toBe('c');
  });

  test('is none that is short of memory, even the one that looks', async () => {
    await beat('b', { shortOfMemory: true });
    await fill('a', 2);
    await fill('c', 1);
    await listenAs(...HOSTS);
    expect(await hostAfter('a')).toBe('c');
    await list();
    expect(await lookFrom('b', { shortOfMemory: true })).toEqual({ status: 'host_full' });
  });

  test('is none without the profile', async () => {
    await schema.hosts.register('c', profiles('default', 'other'));
    await fill('c', 5);
    await listenAs(...HOSTS);
    const session = await list({ profile: 'other' });
    expect(await lookFrom('a')).toMatchObject({ status: 'none' });
    await waitFor(() => woken.length > 0);
    expect(woken).toEqual(['c']);
    expect(await take('c')).toBe(session.id);
  });

  test('is none that could not begin at once; where all are busy, whoever looks takes it', async () => {
    for (const host of ['b', 'c'] as const) {
      await beat(host, { concurrency: 1 });
      await list();
      await lookFrom(host);
    }
    await fill('a', 5);
    await listenAs(...HOSTS);
    const session = await list();
    expect(await take('a')).toBe(session.id);
  });

  test('spreads warm agents too, and leaves a launch free for a caller on each host', async () => {
    for (const host of HOSTS) await beat(host, { concurrency: 2 });
    await listenAs(...HOSTS);
    await refill(3);
    expect(await lookFrom('a')).toMatchObject({ status: 'claimed' });
    expect(await lookFrom('a')).toMatchObject({ status: 'none' });
    await waitFor(() => woken.length === 2);
    expect([...woken].sort()).toEqual(['b', 'c']);
  });
});

describe('a user who comes again', () => {
  async function callOf(userId: string, host: Host): Promise<void> {
    const session = await list({ userId });
    await take(host);
    await schema.sessions.requestEnd({ sessionId: session.id, reason: 'caller_ended', by: 'caller' });
    await schema.sessions.finishEnd(session.id, 1);
  }

  test('prefers the host it had, where that could begin at once', async () => {
    await callOf('alice', 'b');
    await fill('b', 5);
    await listenAs(...HOSTS);
    const session = await list({ userId: 'alice' });
    expect(await lookFrom('a')).toMatchObject({ status: 'none' });
    await waitFor(() => woken.length > 0);
    expect(woken).toEqual(['b']);
    expect(await take('b')).toBe(session.id);
  });

  test('does not wait for it: when that host is full, it gets another', async () => {
    await callOf('alice', 'b');
    await fill('b', 10);
    await listenAs(...HOSTS);
    const session = await list({ userId: 'alice' });
    expect(await take('a')).toBe(session.id);
  });

  test('gets the warm agent of its host before an older one', async () => {
    await callOf('alice', 'b');
    await refill(1);
    const older = await take('a');
    await new Promise((resolve) => setTimeout(resolve, 5));
    await refill(1);
    const onFormer = await take('b');
    expect((await list({ userId: 'alice' })).id).toBe(onFormer);
    expect((await list({ userId: 'bob' })).id).toBe(older);
  });

  describe('and names no profile', () => {
    beforeEach(async () => {
      await schema.hosts.register('b', profiles('default', 'sales'));
      const session = await list({ userId: 'alice', profile: 'sales' });
      await take('b');
      await schema.sessions.requestEnd({ sessionId: session.id, reason: 'caller_ended', by: 'caller' });
      await schema.sessions.finishEnd(session.id, 1);
    });

    test('gets the one it had', async () => {
      expect((await list({ userId: 'alice', anyProfile: true })).profile).toBe('sales');
      expect((await list({ userId: 'bob', anyProfile: true })).profile).toBe('default');
    });

    test('but not where the hosts that run it are full, and others are not', async () => {
      await beat('b', { capacity: 1 });
      await list({ profile: 'sales' });
      await take('b', { hostCapacity: 1 });
      for (const queueMax of [0, 5]) {
        const session = await list({ userId: 'alice', anyProfile: true, queueMax });
        expect(session).toMatchObject({ profile: 'default', status: 'starting' });
        await schema.sessions.requestEnd({ sessionId: session.id, reason: 'caller_ended', by: 'caller' });
      }
    });

    test('but not where it would wait for it, where it names another, or where nobody knows who it is', async () => {
      expect((await list({ userId: 'alice', anyProfile: true, trusted: false })).profile).toBe('default');
      await redis.command('DEL', 'session:user:alice');
      expect((await list({ userId: 'alice' })).profile).toBe('default');
      await redis.command('DEL', 'session:user:alice', 'spawn:pending');
      await refill(1);
      const warm = await take('a');
      expect(await list({ userId: 'alice', anyProfile: true })).toMatchObject({
        id: warm,
        profile: 'default',
      });
    });
  });
});
