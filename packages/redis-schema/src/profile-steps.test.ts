import { describe, expect, test } from '@jest/globals';
import {
  addHost,
  claimSession,
  heartbeat,
  look,
  PROCESS,
  redis,
  refill,
  schema,
  startArguments,
  useRedis,
} from './testing/steps.js';

useRedis();

function addProfiles(host: string, ...profiles: string[]): Promise<void> {
  return addHost(host, { profiles, poolTarget: 2 });
}

async function startOf(profile: string) {
  const { sessionId, ...rest } = startArguments({ profile, maxSessions: 500 });
  return { ...(await schema.sessions.start({ sessionId, ...rest })), sessionId };
}

function drains(host: string) {
  return heartbeat(host, { draining: true });
}

async function launchNext(host: string, profiles: string[]) {
  const session = await claimSession(host, { profiles });
  const ref = { sessionId: session.id, generation: session.generation, launch: session.launch };
  await schema.sessions.commitLaunch(ref, PROCESS);
  await schema.sessions.markReady(ref, 1000);
  return { session, ref };
}

async function warmUp(profile: string): Promise<void> {
  await refill(1, profile);
}

describe('hosts that run different profiles', () => {
  test('a host claims what it runs, however much of other profiles waits in front of it', async () => {
    await addProfiles('sales-host', 'sales');
    await addProfiles('support-host', 'support');
    const others = [];
    for (let count = 0; count < 45; count += 1) others.push((await startOf('support')).sessionId);
    const { sessionId } = await startOf('sales');
    expect((await claimSession('sales-host', { profiles: ['sales'] })).id).toBe(sessionId);
    expect((await look('sales-host', { profiles: ['sales'] })).status).toBe('none');
    // Nothing of the others was lost, and their order is as it was.
    const claimed = [];
    for (const _ of others) claimed.push((await claimSession('support-host', { profiles: ['support'] })).id);
    expect(claimed).toEqual(others);
  });

  test('warm agents too', async () => {
    await addProfiles('sales-host', 'sales');
    await addProfiles('support-host', 'support');
    await warmUp('support');
    expect((await look('sales-host', { profiles: ['sales'] })).status).toBe('none');
    expect((await claimSession('support-host', { profiles: ['sales', 'support'] })).profile).toBe('support');
  });

  test('a start of a profile that no live host runs is refused at once', async () => {
    await addProfiles('sales-host', 'sales');
    await addProfiles('support-host', 'support');
    expect((await startOf('support')).status).toBe('created');
    await drains('support-host');
    expect((await startOf('support')).status).toBe('no_host');
    expect((await startOf('sales')).status).toBe('created');
    expect((await startOf('unheard-of')).status).toBe('unknown_profile');
  });

  test('a spawner of an older version, which does not say what it runs, runs the default profile', async () => {
    await addProfiles('sales-host', 'sales', 'default');
    await addProfiles('old-host', 'default');
    await redis.command('HDEL', 'host:old-host', 'profiles');
    await drains('sales-host');
    expect((await startOf('default')).status).toBe('created');
    expect((await startOf('sales')).status).toBe('no_host');
    expect((await claimSession('old-host')).profile).toBe('default');
  });

  test('a full host gives up no warm agent for a caller that it could not serve', async () => {
    await addProfiles('sales-host', 'sales');
    await addProfiles('support-host', 'support');
    await warmUp('sales');
    const { session } = await launchNext('sales-host', ['sales']);
    await startOf('support');
    expect((await look('sales-host', { profiles: ['sales'], hostCapacity: 1 })).status).toBe('host_full');
    expect(await schema.sessions.readRaw(session.id)).toMatchObject({ status: 'pooled' });
  });

  test('a call whose profile its host has no more, and no other has, is not listed for nobody', async () => {
    await addProfiles('sales-host', 'sales');
    await startOf('sales');
    const { ref } = await launchNext('sales-host', ['sales']);
    await addProfiles('sales-host', 'support');
    const policy = { cause: 'agent_crashed' as const, maxRestarts: 3, periodMs: 60_000 };
    expect(await schema.sessions.requestRestart(ref.sessionId)).toMatchObject({ status: 'no_host' });
    expect(await schema.sessions.restart(ref, policy)).toEqual({ status: 'no_host' });
    await addProfiles('other-host', 'sales');
    expect(await schema.sessions.restart(ref, policy)).toEqual({ status: 'restarting' });
  });
});

test('profiles and pools of all hosts are listed; one that no host runs any more is left out', async () => {
  await addProfiles('sales-host', 'sales', 'default');
  await addProfiles('support-host', 'support');
  const names = async () => (await schema.profiles.list()).map(({ name }) => name);
  const pools = async () => (await schema.pools.read()).map(({ profile }) => profile);
  expect(await names()).toEqual(['default', 'sales', 'support']);
  // A silent or draining host may be back in a moment.
  await drains('support-host');
  expect(await names()).toEqual(['default', 'sales', 'support']);
  await warmUp('sales');
  await addProfiles('sales-host', 'default');
  expect(await names()).toEqual(['default', 'support']);
  expect(await pools()).toEqual(['default', 'sales', 'support']);
  // Its warm agents are still counted while there are any.
  await redis.command('DEL', 'pool:sales:warming');
  expect(await pools()).toEqual(['default', 'support']);
});
