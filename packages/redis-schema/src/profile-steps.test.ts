import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { openRedis, type RedisSchema } from './index.js';

let redis: TestRedis;
let schema: RedisSchema;
let serial = 0;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.command('FLUSHALL');
  schema = openRedis({ url: redis.url, clientName: 'test' });
  await schema.connected(2000);
});
afterEach(() => schema.close());

function newId(kind: 'session' | 'prewarm' = 'session'): string {
  serial += 1;
  return `${kind}_${String(serial).padStart(24, '0')}`;
}

async function addHost(host: string, ...profiles: string[]): Promise<void> {
  const published = profiles.map((name) => ({ name, voices: [], poolTarget: 2 }));
  await schema.hosts.register(host, published);
  await heartbeat(host);
}

function heartbeat(host: string, draining = false) {
  const fields = { capacity: 60, concurrency: 4, version: 'test', startedAt: 0, running: 0, draining };
  return schema.hosts.heartbeat(host, fields);
}

async function start(profile: string) {
  const sessionId = newId();
  const answer = await schema.sessions.start({
    sessionId,
    roomName: `greenroom-${sessionId}`,
    profile,
    userScope: '',
    trusted: false,
    maxSessions: 500,
    sessionTimeoutMs: 60_000,
  });
  return { ...answer, sessionId };
}

async function claim(host: string, profiles?: string[], hostCapacity = 60) {
  serial += 1;
  return schema.sessions.claim({
    host,
    launch: `launch${serial}`,
    hostCapacity,
    includePool: true,
    profiles,
  });
}

async function claimedBy(host: string, profiles?: string[]) {
  const answer = await claim(host, profiles);
  if (answer.status !== 'claimed') throw new Error(`not claimed: ${answer.status}`);
  return answer.session;
}

const FACTS = { pid: 4242, pgid: 4242, startTime: '777', roomSid: 'RM_x', logFile: '/tmp/x.log' };

async function launchNext(host: string, profiles: string[]) {
  const session = await claimedBy(host, profiles);
  const ref = { sessionId: session.id, generation: session.generation, launch: session.launch };
  await schema.sessions.commitLaunch(ref, FACTS);
  await schema.sessions.markReady(ref, 1000);
  return { session, ref };
}

async function warmUp(profile: string): Promise<void> {
  const ids = [newId('prewarm')];
  await schema.pools.planRefill({
    profile,
    ids,
    rooms: ids.map((id) => `greenroom-${id}`),
    warmMaxAgeMs: 60_000,
    sessionTimeoutMs: 60_000,
  });
}

describe('hosts that run different profiles', () => {
  test('a host claims what it runs, however much of other profiles waits in front of it', async () => {
    await addHost('sales-host', 'sales');
    await addHost('support-host', 'support');
    const others = [];
    for (let count = 0; count < 45; count += 1) others.push((await start('support')).sessionId);
    const { sessionId } = await start('sales');
    expect((await claimedBy('sales-host', ['sales'])).id).toBe(sessionId);
    expect((await claim('sales-host', ['sales'])).status).toBe('none');
    // Nothing of the others was lost, and their order is as it was.
    const claimed = [];
    for (const _ of others) claimed.push((await claimedBy('support-host', ['support'])).id);
    expect(claimed).toEqual(others);
  });

  test('warm agents too', async () => {
    await addHost('sales-host', 'sales');
    await addHost('support-host', 'support');
    await warmUp('support');
    expect((await claim('sales-host', ['sales'])).status).toBe('none');
    expect((await claimedBy('support-host', ['sales', 'support'])).profile).toBe('support');
  });

  test('a start of a profile that no live host runs is refused at once', async () => {
    await addHost('sales-host', 'sales');
    await addHost('support-host', 'support');
    expect((await start('support')).status).toBe('created');
    await heartbeat('support-host', true);
    expect((await start('support')).status).toBe('no_host');
    expect((await start('sales')).status).toBe('created');
    expect((await start('unheard-of')).status).toBe('unknown_profile');
  });

  test('a spawner of an older version, which does not say what it runs, runs the default profile', async () => {
    await addHost('sales-host', 'sales', 'default');
    await addHost('old-host', 'default');
    await redis.command('HDEL', 'host:old-host', 'profiles');
    await heartbeat('sales-host', true);
    expect((await start('default')).status).toBe('created');
    expect((await start('sales')).status).toBe('no_host');
    expect((await claimedBy('old-host')).profile).toBe('default');
  });

  test('a full host gives up no warm agent for a caller that it could not serve', async () => {
    await addHost('sales-host', 'sales');
    await addHost('support-host', 'support');
    await warmUp('sales');
    const { session } = await launchNext('sales-host', ['sales']);
    await start('support');
    expect((await claim('sales-host', ['sales'], 1)).status).toBe('host_full');
    expect(await schema.sessions.readRaw(session.id)).toMatchObject({ status: 'pooled' });
  });

  test('a call whose profile its host has no more, and no other has, is not listed for nobody', async () => {
    await addHost('sales-host', 'sales');
    await start('sales');
    const { ref } = await launchNext('sales-host', ['sales']);
    await addHost('sales-host', 'support');
    const policy = { cause: 'agent_crashed' as const, maxRestarts: 3, periodMs: 60_000 };
    expect(await schema.sessions.requestRestart(ref.sessionId)).toMatchObject({ status: 'no_host' });
    expect(await schema.sessions.restart(ref, policy)).toEqual({ status: 'no_host' });
    await addHost('other-host', 'sales');
    expect(await schema.sessions.restart(ref, policy)).toEqual({ status: 'restarting' });
  });
});

test('profiles and pools of all hosts are listed; one that no host runs any more is left out', async () => {
  await addHost('sales-host', 'sales', 'default');
  await addHost('support-host', 'support');
  const names = async () => (await schema.profiles.list()).map(({ name }) => name);
  const pools = async () => (await schema.pools.read()).map(({ profile }) => profile);
  expect(await names()).toEqual(['default', 'sales', 'support']);
  // A silent or draining host may be back in a moment.
  await heartbeat('support-host', true);
  expect(await names()).toEqual(['default', 'sales', 'support']);
  await warmUp('sales');
  await addHost('sales-host', 'default');
  expect(await names()).toEqual(['default', 'support']);
  expect(await pools()).toEqual(['default', 'sales', 'support']);
  // Its warm agents are still counted while there are any.
  await redis.command('DEL', 'pool:sales:warming');
  expect(await pools()).toEqual(['default', 'support']);
});
