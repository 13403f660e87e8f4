import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startRedis, type TestRedis, waitFor } from '@greenroom/test-kit';
import { type HostFields, openRedis, type RedisSchema } from './index.js';

type Placement = 'spread' | 'pack';
const HOSTS = ['a', 'b', 'c'] as const;
type Host = (typeof HOSTS)[number];
const OFFER_MS = 500;
const GIB = 2 ** 30;

let redis: TestRedis;
let schema: RedisSchema;
let serial = 0;
/** Hosts that were woken for a launch, in order. */
let woken: Host[] = [];
let leave: (() => Promise<void>)[] = [];

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.command('FLUSHALL');
  schema = openRedis({ url: redis.url, clientName: 'test', commandTimeoutMs: 5000 });
  await schema.connected(2000);
  for (const host of HOSTS) await schema.hosts.register(host, profiles('default'));
  for (const host of HOSTS) await beat(host);
});
afterEach(async () => {
  await Promise.all(leave.map((it) => it()));
  leave = [];
  woken = [];
  await schema.close();
});

function profiles(...names: string[]) {
  return names.map((name) => ({ name, voices: [], poolTarget: 5 }));
}

function beat(host: Host, fields: Partial<HostFields> = {}) {
  const said = { capacity: 10, concurrency: 4, version: 'test', startedAt: 0, running: 0, draining: false };
  return schema.hosts.heartbeat(host, { ...said, takesOffers: true, memoryFree: GIB, ...fields });
}

async function listenAs(...hosts: Host[]): Promise<void> {
  for (const host of hosts) leave.push(await schema.bus.listen(`host:${host}:wake`, () => woken.push(host)));
}

async function list(overrides: object = {}) {
  serial += 1;
  const sessionId = `session_${String(serial).padStart(24, '0')}`;
  const result = await schema.sessions.start({
    sessionId,
    roomName: `room-${sessionId}`,
    profile: 'default',
    userScope: '',
    trusted: true,
    maxSessions: 500,
    sessionTimeoutMs: 60_000,
    ...overrides,
  });
  if (!('session' in result)) throw new Error(result.status);
  return result.session;
}

async function listWarm(count: number): Promise<void> {
  const ids = Array.from({ length: count }, () => `prewarm_${String((serial += 1)).padStart(24, '0')}`);
  const rooms = ids.map((id) => `room-${id}`);
  const args = { profile: 'default', ids, rooms, warmMaxAgeMs: 60_000, sessionTimeoutMs: 60_000 };
  await schema.pools.planRefill(args);
}

type ClaimOptions = Partial<Parameters<RedisSchema['sessions']['claim']>[0]>;

function look(host: Host, options: ClaimOptions = {}) {
  serial += 1;
  const launch = `launch${serial}`;
  return schema.sessions.claim({ host, launch, hostCapacity: 10, includePool: true, ...options });
}

async function take(host: Host, options: ClaimOptions = {}) {
  const claim = await look(host, options);
  if (claim.status !== 'claimed') throw new Error(`${host}: ${claim.status}`);
  const { id: sessionId, generation, launch } = claim.session;
  await schema.sessions.markReady({ sessionId, generation, launch }, 1000);
  return sessionId;
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
  const claim = await look(first, { placement });
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
    expect(await look('a')).toEqual({ status: 'none', nextDueMs: OFFER_MS });
    await waitFor(() => woken.length > 0);
    expect(woken).toEqual(['c']);
    expect(await look('b')).toMatchObject({ status: 'none' });
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
    expect(await look('a')).toMatchObject({ status: 'none' });
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
    expect(await look('a')).toEqual({ status: 'host_full' });
    await waitFor(() => woken.length === 1);
    expect(await take('b')).toBe(session.id);
  });
});

describe('an offer', () => {
  test('that its host does not take in time is anybody’s', async () => {
    await fill('a', 3);
    await listenAs('b');
    const session = await list();
    expect(await look('a')).toMatchObject({ status: 'none', nextDueMs: OFFER_MS });
    const again = await look('a');
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
    await look('a');
    await offerOver();
    await take('a');
    const second = await list();
    expect(await take('a')).toBe(second.id);
    await beat('b');
    await list();
    expect(await look('a')).toMatchObject({ status: 'none', nextDueMs: OFFER_MS });
  });

  test('of a full host, not taken in time, goes to the next best', async () => {
    await fill('a', 10);
    await fill('c', 1);
    await listenAs('b', 'c');
    const session = await list();
    await look('a');
    await offerOver();
    await look('a');
    await waitFor(() => woken.includes('c'));
    expect(woken).toEqual(['b', 'c']);
    expect(await take('c')).toBe(session.id);
  });

  test('to a host that went away meanwhile binds nobody', async () => {
    await fill('a', 3);
    await listenAs('b');
    const session = await list();
    await look('a');
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
    expect(await look('b', { shortOfMemory: true })).toEqual({ status: 'host_full' });
  });

  test('is none without the profile', async () => {
    await schema.hosts.register('c', profiles('default', 'other'));
    await fill('c', 5);
    await listenAs(...HOSTS);
    const session = await list({ profile: 'other' });
    expect(await look('a')).toMatchObject({ status: 'none' });
    await waitFor(() => woken.length > 0);
    expect(woken).toEqual(['c']);
    expect(await take('c')).toBe(session.id);
  });

  test('is none that could not begin at once; where all are busy, whoever looks takes it', async () => {
    for (const host of ['b', 'c'] as const) {
      await beat(host, { concurrency: 1 });
      await list();
      await look(host);
    }
    await fill('a', 5);
    await listenAs(...HOSTS);
    const session = await list();
    expect(await take('a')).toBe(session.id);
  });

  test('spreads warm agents too, and leaves a launch free for a caller on each host', async () => {
    for (const host of HOSTS) await beat(host, { concurrency: 2 });
    await listenAs(...HOSTS);
    await listWarm(3);
    expect(await look('a')).toMatchObject({ status: 'claimed' });
    expect(await look('a')).toMatchObject({ status: 'none' });
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
    expect(await look('a')).toMatchObject({ status: 'none' });
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
    await listWarm(1);
    const older = await take('a');
    await new Promise((resolve) => setTimeout(resolve, 5));
    await listWarm(1);
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
      await listWarm(1);
      const warm = await take('a');
      expect(await list({ userId: 'alice', anyProfile: true })).toMatchObject({
        id: warm,
        profile: 'default',
      });
    });
  });
});
