import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { type HostHolder, HostTakenError, openRedis, type RedisSchema } from './index.js';

const HOST = 'host-a';
const LEASE_MS = 15_000;
const opened: RedisSchema[] = [];
let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(() => redis.command('FLUSHALL'));
afterEach(() => Promise.all(opened.splice(0).map((schema) => schema.close())));

async function spawner(holder?: HostHolder): Promise<RedisSchema> {
  const schema = openRedis({ url: redis.url, clientName: 'test', ...(holder && { holder }) });
  opened.push(schema);
  await schema.connected(2000);
  return schema;
}

function on(machine: string, incarnation: string, lock = `socket on ${machine}`): Promise<RedisSchema> {
  return spawner({ host: HOST, incarnation, lock, machine });
}

const register = (it: RedisSchema) =>
  it.hosts.register(HOST, [{ name: 'default', voices: [], poolTarget: 0 }]);

function heartbeat(it: RedisSchema) {
  const fields = { capacity: 60, concurrency: 4, version: 'test', startedAt: 0, running: 0, draining: false };
  return it.hosts.heartbeat(HOST, fields);
}

function claim(it: RedisSchema) {
  return it.sessions.claim({ host: HOST, launch: 'launch', hostCapacity: 60, includePool: true });
}

async function listStart(it: RedisSchema): Promise<void> {
  const sessionId = 'session_000000000000000000000001';
  const args = {
    profile: 'default',
    userScope: '',
    trusted: false,
    maxSessions: 50,
    sessionTimeoutMs: 60_000,
  };
  expect(await it.sessions.start({ sessionId, roomName: 'room', ...args })).toMatchObject({
    status: 'created',
  });
}

test('a host id that a living spawner on another machine has is refused, with the time until its lease is over', async () => {
  await register(await on('one', 'a'));
  const refused = await register(await on('two', 'b')).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(HostTakenError);
  expect(refused).toMatchObject({
    by: 'one',
    message: expect.stringMatching(/HOST_ID host-a .* on one.* 15 s/),
  });
  expect((refused as HostTakenError).freshForMs).toBeGreaterThan(LEASE_MS - 1000);
  expect(await redis.command('HGET', `host:${HOST}`, 'incarnation')).toBe('a');
});

test('every heartbeat renews the lease; once it has run out the host id is free', async () => {
  const [first, second] = [await on('one', 'a'), await on('two', 'b')];
  await register(first);
  await redis.command('HSET', `host:${HOST}`, 'leaseUntil', Date.now() + 50);
  await heartbeat(first);
  await expect(register(second)).rejects.toThrow(HostTakenError);
  await redis.command('HSET', `host:${HOST}`, 'leaseUntil', Date.now() - 1);
  await register(second);
});

test('who holds the same socket is there at once: its holder before is dead', async () => {
  const [dead, successor] = [await on('one', 'a', 'same'), await on('one', 'b', 'same')];
  await register(dead);
  await register(successor);
  // What was still under way from the dead one speaks for nobody.
  await expect(heartbeat(dead)).rejects.toThrow(HostTakenError);
  expect(await heartbeat(successor)).toMatchObject({ ending: [] });
});

test('one that has lost its host id claims nothing and takes nothing away from the one that has it', async () => {
  const [first, second] = [await on('one', 'a'), await on('two', 'b')];
  await register(first);
  await heartbeat(first);
  await redis.command('HSET', `host:${HOST}`, 'leaseUntil', Date.now() - 1);
  await register(second);
  await heartbeat(second);
  await listStart(second);
  expect([await first.hosts.isHeld(HOST), await second.hosts.isHeld(HOST)]).toEqual([false, true]);
  expect(await claim(first)).toMatchObject({ status: 'none' });
  await expect(first.hosts.remove(HOST, { hasCalls: false })).rejects.toThrow(HostTakenError);
  expect(await redis.command('ZSCORE', 'hosts', HOST)).not.toBeNull();
  expect(await claim(second)).toMatchObject({ status: 'claimed' });
});

test('one that has lost it has it again when the other one has left, or is not heard any more', async () => {
  const [first, second] = [await on('one', 'a'), await on('two', 'b')];
  await register(second);
  await expect(heartbeat(first)).rejects.toThrow(HostTakenError);
  await second.hosts.remove(HOST, { hasCalls: true });
  await heartbeat(first);
  await expect(heartbeat(second)).rejects.toThrow(HostTakenError);
  await redis.command('HSET', `host:${HOST}`, 'leaseUntil', Date.now() - 1);
  await heartbeat(second);
  expect([await first.hosts.isHeld(HOST), await second.hosts.isHeld(HOST)]).toEqual([false, true]);
});

test('an orderly leave frees the host id; calls that live on keep the host listed for its successor', async () => {
  const [first, second] = [await on('one', 'a'), await on('two', 'b')];
  await register(first);
  await heartbeat(first);
  await first.hosts.remove(HOST, { hasCalls: true });
  expect(await redis.command('ZSCORE', 'hosts', HOST)).not.toBeNull();
  await register(second);
  await second.hosts.remove(HOST, { hasCalls: false });
  expect(await redis.command('EXISTS', 'hosts', `host:${HOST}`)).toBe(0);
});

test('a spawner that knows nothing of leases goes on beside those that do', async () => {
  await register(await on('one', 'a'));
  const older = await spawner();
  await register(older);
  await heartbeat(older);
  await listStart(older);
  expect(await claim(older)).toMatchObject({ status: 'claimed' });
});
