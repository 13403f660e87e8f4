import { describe, expect, test } from '@jest/globals';
import type { PoolPolicy } from '@greenroom/contracts';
import { waitFor } from '@greenroom/test-kit';
import type { OfferedProfile } from './index.js';
import { HOST, heartbeat, redis, refill, schema, spawn, start, useRedis } from './testing/steps.js';

const WARM_MAX_AGE_MS = 60_000;

useRedis(() => register());

async function register(profile: Partial<OfferedProfile> = {}, host = HOST): Promise<void> {
  const offered = { name: 'default', voices: [], poolTarget: 0, version: 'v1', ...profile };
  await schema.hosts.register(host, [offered]);
  await heartbeat(host);
}

async function launchReady(host = HOST, profileVersion = 'v1', startupMs = 1000) {
  const ref = await spawn(host, { profileVersion });
  return { id: ref.sessionId, ...(await schema.sessions.markReady(ref, startupMs)) };
}

/** Lists and launches all that the pool wants. */
async function fill(host = HOST, profileVersion = 'v1'): Promise<string[]> {
  const { created } = await refill(20);
  for (const _ of created) await launchReady(host, profileVersion);
  return created;
}

function setPolicy(policy: PoolPolicy) {
  return schema.pools.setPolicy('default', { policy });
}

async function pool() {
  const [only] = await schema.pools.read();
  return only;
}

async function statusOf(id: string | undefined): Promise<string> {
  const found = await schema.sessions.read(id ?? '');
  return found.status === 'live'
    ? `${found.session.status} ${found.session.endReason ?? ''}`.trim()
    : found.status;
}

async function warmIds(): Promise<string[]> {
  return ((await redis.command('SMEMBERS', 'pool:ready')) as string[]).sort();
}

const target = () => redis.command('GET', 'pool:target');
const makeOlder = (id: string | undefined) => redis.command('HSET', `session:${id}`, 'retireAt', '1');

describe('a buffer', () => {
  test('follows the live calls of its profile, up and down, between its bounds', async () => {
    expect(await setPolicy({ kind: 'buffer', size: '50%', min: 1, max: 3 })).toMatchObject({ target: 1 });
    await fill();
    const calls = [await start(), await start(), await start(), await start()];
    expect(await pool()).toMatchObject({ target: 2, callers: 4 });
    await start();
    expect((await pool())?.target).toBe(3);
    await start();
    await start();
    // 4 would be half of 7.
    expect((await pool())?.target).toBe(3);
    for (const call of calls) {
      if (call.status !== 'assigned' && call.status !== 'created') throw new Error(call.status);
      await schema.sessions.requestEnd({ sessionId: call.session.id, reason: 'caller_ended', by: 'caller' });
    }
    expect(await pool()).toMatchObject({ target: 2, callers: 3 });
  });

  test('of a number is as large as that', async () => {
    expect(await setPolicy({ kind: 'buffer', size: 5, min: 0, max: 4 })).toMatchObject({ target: 4 });
    expect(await setPolicy({ kind: 'buffer', size: 5, min: 0, max: 10 })).toMatchObject({ target: 5 });
  });

  test('whoever comes or goes has the pool looked at, and what is too much by then ends oldest first', async () => {
    await setPolicy({ kind: 'buffer', size: '100%', min: 0, max: 9 });
    const call = await start();
    await start();
    await launchReady();
    await launchReady();
    const [oldest, younger] = await fill();
    const woken: unknown[] = [];
    await schema.bus.listen('spawners:wake', (message) => void woken.push(message));
    if (call.status !== 'created') throw new Error(call.status);
    await schema.sessions.requestEnd({ sessionId: call.session.id, reason: 'caller_ended', by: 'caller' });
    await waitFor(() => woken.length > 0);
    expect(woken).toContainEqual({ kind: 'pool', profile: 'default' });
    expect((await refill(20)).created).toEqual([]);
    expect([await statusOf(oldest), await statusOf(younger)]).toEqual(['ending pool_surplus', 'pooled']);
    expect(await target()).toBe('1');
  });
});

describe('a rate', () => {
  const RATE: PoolPolicy = { kind: 'rate', safety: 0, min: 0, max: 20, windowSeconds: 600 };

  async function measure(replaceMs: number): Promise<void> {
    await redis.command('HSET', 'pool:stats', 'replace_ms:default', String(replaceMs));
  }

  /** As if the last arrival had been a while ago. */
  async function letPass(ms: number): Promise<void> {
    await redis.command('HINCRBY', 'pool:demand', 'at', -ms);
  }

  test('takes arrivals x the time to replace one; it grows in the very step of the start', async () => {
    await setPolicy(RATE);
    await measure(60_000);
    for (let i = 0; i < 4; i += 1) await start();
    // Four in a tenth of the window, each of which is a whole agent within a minute.
    expect(await target()).toBe('4');
    expect((await refill(20)).created).toHaveLength(4);
    const now = await pool();
    expect(now?.arrivalsPerMinute).toBeGreaterThan(3.8);
    expect(now?.arrivalsPerMinute).toBeLessThanOrEqual(4);
    expect(now).toMatchObject({ starts: 4, warmStarts: 0, replaceMs: 60_000 });
  });

  test('admins hear of a new target in the step that worked it out', async () => {
    await setPolicy(RATE);
    await measure(60_000);
    const targetsTold = async () => {
      const all = (await redis.command('XRANGE', 'events', '-', '+')) as [string, string[]][];
      const events = all.filter(([, fields]) => fields[1] === 'pool');
      return events.map(([, fields]) => (JSON.parse(fields[3] ?? '') as { target: number }).target);
    };
    const before = await targetsTold();
    await start();
    await start();
    expect((await targetsTold()).slice(before.length)).toEqual([1, 2]);
  });

  test('adds its margin, and keeps within its bounds', async () => {
    await setPolicy({ ...RATE, safety: 2 });
    await measure(60_000);
    for (let i = 0; i < 4; i += 1) await start();
    // 4 + 2 x 2, a moment later a little less.
    expect(await target()).toBe('8');
    expect(await setPolicy({ ...RATE, safety: 2, max: 5 })).toMatchObject({ target: 5, previous: 8 });
    expect(await setPolicy({ ...RATE, min: 12 })).toMatchObject({ target: 12 });
  });

  test('shrinks when nobody comes, slowly, and knows when it will', async () => {
    await setPolicy(RATE);
    await measure(600_000);
    for (let i = 0; i < 3; i += 1) await start();
    expect(await target()).toBe('20');
    await letPass(600_000);
    const { created, nextLookMs = 0 } = await refill(20);
    // The fast average has forgotten; of the slow one e^-1 of 3 is left.
    expect(created).toHaveLength(2);
    expect(nextLookMs).toBeGreaterThan(1000);
    await letPass(nextLookMs - 2000);
    await refill(20);
    expect(await target()).toBe('2');
    await letPass(2000);
    await refill(20);
    expect(await target()).toBe('1');
    expect(await redis.command('SCARD', 'pool:warming')).toBe(1);
    await letPass(36_000_000);
    expect((await refill(20)).nextLookMs).toBe(undefined);
    expect(await target()).toBe('0');
  });

  test('measures the time from listing an agent to having it; a start that was tried again says nothing', async () => {
    await setPolicy({ ...RATE, min: 2 });
    const { created } = await refill(20);
    await redis.command('HINCRBY', `session:${created[0]}`, 'createdAt', -3000);
    await launchReady(HOST, 'v1', 1000);
    const first = (await pool())?.replaceMs ?? 0;
    expect(first).toBeGreaterThanOrEqual(3000);
    expect(first).toBeLessThan(3500);
    await redis.command('HSET', `session:${created[1]}`, 'attempts', '1');
    await redis.command('HINCRBY', `session:${created[1]}`, 'createdAt', -9000);
    await launchReady(HOST, 'v1', 1000);
    expect((await pool())?.replaceMs).toBe(first);
  });

  test('that grows with what a start took has the pool looked at, and again when it shrinks', async () => {
    await setPolicy({ ...RATE, min: 1 });
    await measure(1000);
    for (let i = 0; i < 4; i += 1) await start();
    for (let i = 0; i < 4; i += 1) await launchReady();
    const [listed] = (await refill(20)).created;
    expect(await target()).toBe('1');
    const woken: unknown[] = [];
    await schema.bus.listen('spawners:wake', (message) => void woken.push(message));
    await redis.command('HINCRBY', `session:${listed}`, 'createdAt', -60_000);
    await launchReady(HOST, 'v1', 60_000);
    await waitFor(() => woken.length > 0);
    expect(woken).toEqual([{ kind: 'pool', profile: 'default' }]);
    expect(await target()).toBe('2');
    const { nextLookMs = 0 } = await refill(20);
    expect(nextLookMs).toBeGreaterThan(1000);
    expect(nextLookMs).toBeLessThan(30_000);
  });

  test('the same start delivered twice is one arrival', async () => {
    const args = {
      sessionId: 'session_000000000000000000000twice',
      roomName: 'r',
      profile: 'default',
      userScope: '',
    };
    const twice = { ...args, trusted: false, maxSessions: 50, since: undefined, sessionTimeoutMs: 60_000 };
    await schema.sessions.start(twice);
    await schema.sessions.start(twice);
    expect(await pool()).toMatchObject({ starts: 1 });
  });
});

describe('a schedule', () => {
  const policy = {
    kind: 'schedule',
    timeZone: 'UTC',
    base: 1,
    entries: [{ cron: '0 8 * * *', size: 5 }],
  } as const;
  const schedule: PoolPolicy = { ...policy, entries: [...policy.entries] };
  const at = (size: number, untilMs: number) => ({ policy: schedule, scheduled: { size, untilMs } });

  test('is what was worked out for it, until that is over; then it asks to be worked out anew', async () => {
    const untilMs = Date.now() + 60_000;
    expect(await schema.pools.setPolicy('default', at(5, untilMs))).toMatchObject({ target: 5 });
    const plan = await refill(20);
    expect(plan).toMatchObject({ scheduleDue: undefined });
    expect(plan.nextLookMs).toBeGreaterThan(58_000);
    expect(await pool()).toMatchObject({ scheduledUntil: untilMs });
    await redis.command('HSET', 'pool:schedule', 'until', String(Date.now() - 1));
    expect((await refill(20)).scheduleDue).toEqual(schedule);
    expect(await target()).toBe('5');
    await schema.pools.setScheduledSize('default', at(1, untilMs + 60_000));
    // Somebody who had looked earlier.
    await schema.pools.setScheduledSize('default', at(5, untilMs));
    expect((await pool())?.target).toBe(1);
  });

  test('what was worked out for another policy does not count', async () => {
    await schema.pools.setPolicy('default', at(5, Date.now() + 60_000));
    await setPolicy({ ...schedule, base: 2 });
    expect((await pool())?.target).toBe(2);
    expect((await refill(20)).scheduleDue).toMatchObject({ base: 2 });
    await schema.pools.setScheduledSize('default', at(5, Date.now() + 90_000));
    expect((await pool())?.target).toBe(2);
  });
});

describe('which policy is in force', () => {
  const BUFFER: PoolPolicy = { kind: 'buffer', size: 2, min: 0, max: 9 };

  test('the configured one, until an admin sets another; that one outlives restarts until the configured one changes', async () => {
    await register({ pool: { policy: BUFFER } });
    expect(await pool()).toMatchObject({ target: 2, policy: BUFFER });
    await setPolicy({ kind: 'fixed', size: 7 });
    await register({ pool: { policy: { max: 9, min: 0, size: 2, kind: 'buffer' } } });
    expect(await pool()).toMatchObject({ target: 7, policy: { kind: 'fixed', size: 7 } });
    await register({ pool: { policy: { ...BUFFER, size: 3 } } });
    expect(await pool()).toMatchObject({ target: 3 });
    await register({ poolTarget: 1 });
    expect(await pool()).toMatchObject({ target: 1, policy: { kind: 'fixed', size: 1 } });
  });

  test('an agent that gets ready under a new policy is surplus in that step', async () => {
    await setPolicy({ kind: 'fixed', size: 1 });
    await refill(20);
    const ref = await spawn(HOST, { profileVersion: 'v1' });
    await setPolicy({ ...BUFFER, size: '100%' });
    expect(await schema.sessions.markReady(ref, 5)).toEqual({ status: 'surplus' });
  });
});

describe('warm agents that are too old, or of another version', () => {
  test('one at a time gets a successor first, and leaves in the step that pools it', async () => {
    await setPolicy({ kind: 'fixed', size: 3 });
    const first = await fill();
    for (const id of first) await makeOlder(id);
    const successors: string[] = [];
    for (const left of [2, 1, 0]) {
      const { created } = await refill(20);
      expect(created).toHaveLength(1);
      expect((await refill(20)).created).toEqual([]);
      expect(await warmIds()).toHaveLength(3);
      const { id, status } = await launchReady();
      expect(status).toBe('pooled');
      successors.push(id);
      expect(await warmIds()).toHaveLength(3);
      expect((await warmIds()).filter((it) => first.includes(it))).toHaveLength(left);
    }
    expect(await statusOf(first[0])).toBe('ending warm_agent_retired');
    expect(await warmIds()).toEqual(successors.sort());
    expect((await refill(20)).created).toEqual([]);
  });

  test('an old one is given out as long as no other has taken its place', async () => {
    await setPolicy({ kind: 'fixed', size: 1 });
    const [old] = await fill();
    await makeOlder(old);
    await refill(20);
    expect(await start()).toMatchObject({ status: 'assigned', session: { id: old } });
  });

  test('the pool looks again at the moment when the next one is too old', async () => {
    await setPolicy({ kind: 'fixed', size: 1 });
    expect((await refill(20)).nextLookMs).toBeGreaterThan(WARM_MAX_AGE_MS - 2000);
    const { id } = await launchReady();
    await redis.command('HSET', `session:${id}`, 'retireAt', String(Date.now() + 3000));
    const { nextLookMs = 0 } = await refill(20);
    expect(nextLookMs).toBeGreaterThan(1000);
    expect(nextLookMs).toBeLessThanOrEqual(3000);
  });

  test('one whose host offers another version by now is replaced; those of other hosts stay', async () => {
    await setPolicy({ kind: 'fixed', size: 2 });
    await register({}, 'host-b');
    await refill(20);
    const a = await launchReady(HOST);
    const b = await launchReady('host-b');
    await register({ version: 'v2' });
    expect((await refill(20)).created).toHaveLength(1);
    await launchReady(HOST, 'v2');
    expect(await statusOf(a.id)).toBe('ending warm_agent_retired');
    expect(await statusOf(b.id)).toBe('pooled');
    expect((await refill(20)).created).toEqual([]);
  });

  test('one of a spawner that tells no version stays', async () => {
    await setPolicy({ kind: 'fixed', size: 1 });
    await fill(HOST, '');
    expect((await refill(20)).created).toEqual([]);
  });
});

describe('warm agents that nobody can be given', () => {
  test('those of a silent host are made up for, and leave when others have taken their place', async () => {
    await setPolicy({ kind: 'fixed', size: 2 });
    await register({}, 'host-b');
    await refill(20);
    const other = await launchReady('host-b');
    const silent = await launchReady(HOST);
    await redis.command('ZADD', 'hosts', '1', HOST);
    expect((await refill(20)).created).toHaveLength(1);
    expect((await warmIds()).length).toBe(2);
    const successor = await launchReady('host-b');
    expect(await warmIds()).toEqual([other.id, successor.id].sort());
    expect(await statusOf(silent.id)).toBe('ended');
  });

  test('of a draining or a silent host none is given out, nor one that is past its deadline', async () => {
    await setPolicy({ kind: 'fixed', size: 1 });
    await register({}, 'host-b');
    const [id] = await fill();
    await heartbeat(HOST, { draining: true });
    expect((await start()).status).toBe('created');
    await heartbeat(HOST);
    await redis.command('ZADD', 'hosts', '1', HOST);
    expect((await start()).status).toBe('created');
    await heartbeat(HOST);
    await redis.command('HSET', `session:${id}`, 'deadlineAt', '1');
    expect((await start()).status).toBe('created');
  });
});
