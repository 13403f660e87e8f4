import { afterEach, expect, test } from '@jest/globals';
import { type HostHolder, HostTakenError, type RedisSchema } from './index.js';
import { HOST, heartbeat, look, openConnected, redis, start, useRedis } from './testing/steps.js';

const LEASE_MS = 15_000;
const opened: RedisSchema[] = [];

useRedis();
afterEach(() => Promise.all(opened.splice(0).map((it) => it.close())));

async function spawner(holder?: HostHolder): Promise<RedisSchema> {
  const it = await openConnected({ ...(holder && { holder }) });
  opened.push(it);
  return it;
}

function on(machine: string, incarnation: string, lock = `socket on ${machine}`): Promise<RedisSchema> {
  return spawner({ host: HOST, incarnation, lock, machine });
}

function register(it: RedisSchema) {
  return it.hosts.register(HOST, [{ name: 'default', voices: [], poolTarget: 0 }]);
}

function beat(it: RedisSchema) {
  return heartbeat(HOST, {}, it);
}

async function listStart(it: RedisSchema): Promise<void> {
  expect(await start({ trusted: false }, it)).toMatchObject({ status: 'created' });
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
  await beat(first);
  await expect(register(second)).rejects.toThrow(HostTakenError);
  await redis.command('HSET', `host:${HOST}`, 'leaseUntil', Date.now() - 1);
  await register(second);
});

test('who holds the same socket is there at once: its holder before is dead', async () => {
  const [dead, successor] = [await on('one', 'a', 'same'), await on('one', 'b', 'same')];
  await register(dead);
  await register(successor);
  // What was still under way from the dead one speaks for nobody.
  await expect(beat(dead)).rejects.toThrow(HostTakenError);
  expect(await beat(successor)).toMatchObject({ ending: [] });
});

test('one that has lost its host id claims nothing and takes nothing away from the one that has it', async () => {
  const [first, second] = [await on('one', 'a'), await on('two', 'b')];
  await register(first);
  await beat(first);
  await redis.command('HSET', `host:${HOST}`, 'leaseUntil', Date.now() - 1);
  await register(second);
  await beat(second);
  await listStart(second);
  expect([await first.hosts.isHeld(HOST), await second.hosts.isHeld(HOST)]).toEqual([false, true]);
  expect(await look(HOST, {}, first)).toMatchObject({ status: 'none' });
  await expect(first.hosts.remove(HOST, { hasCalls: false })).rejects.toThrow(HostTakenError);
  expect(await redis.command('ZSCORE', 'hosts', HOST)).not.toBeNull();
  expect(await look(HOST, {}, second)).toMatchObject({ status: 'claimed' });
});

test('one that has lost it has it again when the other one has left, or is not heard any more', async () => {
  const [first, second] = [await on('one', 'a'), await on('two', 'b')];
  await register(second);
  await expect(beat(first)).rejects.toThrow(HostTakenError);
  await second.hosts.remove(HOST, { hasCalls: true });
  await beat(first);
  await expect(beat(second)).rejects.toThrow(HostTakenError);
  await redis.command('HSET', `host:${HOST}`, 'leaseUntil', Date.now() - 1);
  await beat(second);
  expect([await first.hosts.isHeld(HOST), await second.hosts.isHeld(HOST)]).toEqual([false, true]);
});

test('an orderly leave frees the host id; calls that live on keep the host listed for its successor', async () => {
  const [first, second] = [await on('one', 'a'), await on('two', 'b')];
  await register(first);
  await beat(first);
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
  await beat(older);
  await listStart(older);
  expect(await look(HOST, {}, older)).toMatchObject({ status: 'claimed' });
});
