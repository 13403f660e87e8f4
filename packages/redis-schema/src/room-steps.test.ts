import { describe, expect, test } from '@jest/globals';
import {
  addHost,
  HOST,
  heartbeat,
  redis,
  refill,
  schema,
  spawn,
  startedId,
  useRedis,
} from './testing/steps.js';

useRedis(() => addHost(HOST, { poolTarget: 1 }));

async function listWarm(): Promise<string> {
  const [id = ''] = (await refill(1)).created;
  return id;
}

const hash = (id: string, field: string) => redis.command('HGET', `session:${id}`, field);

describe('another room in the place of a lost one', () => {
  test('a call goes on with the sid of the new room, ready or not yet', async () => {
    const id = await startedId();
    const ref = await spawn(HOST, { roomSid: 'RM_old' });
    expect((await schema.sessions.replaceRoom(ref, 'RM_new')).status).toBe('ok');
    expect(await hash(id, 'roomSid')).toBe('RM_new');
    await schema.sessions.markReady(ref, 1);
    expect(await schema.sessions.replaceRoom(ref, 'RM_newer')).toMatchObject({
      status: 'ok',
      session: { id, status: 'ready', roomSid: 'RM_newer' },
    });
  });

  test('without a sid a call is only asked about', async () => {
    const id = await startedId();
    expect((await schema.sessions.replaceRoom(await spawn(HOST, { roomSid: 'RM_old' }))).status).toBe('ok');
    expect(await hash(id, 'roomSid')).toBe('RM_old');
  });

  test('a warm agent is retired in the same step, warming or in the pool', async () => {
    const warming = await listWarm();
    expect(await schema.sessions.replaceRoom(await spawn(HOST, { roomSid: 'RM_old' }), 'RM_new')).toEqual({
      status: 'retired',
    });
    expect(await hash(warming, 'status')).toBe('ending');
    const pooled = await listWarm();
    const ref = await spawn(HOST, { roomSid: 'RM_old' });
    expect((await schema.sessions.markReady(ref, 1)).status).toBe('pooled');
    expect(await schema.sessions.replaceRoom(ref)).toEqual({ status: 'retired' });
    expect(await hash(pooled, 'endReason')).toBe('warm_agent_retired');
    expect(await redis.command('SMEMBERS', 'pool:ready')).toEqual([]);
    expect((await heartbeat()).ending.sort()).toEqual([warming, pooled].sort());
  });

  test('a warm agent that has just got a caller stays', async () => {
    const id = await listWarm();
    const ref = await spawn(HOST, { roomSid: 'RM_old' });
    await schema.sessions.markReady(ref, 1);
    await startedId();
    expect(await schema.sessions.replaceRoom(ref, 'RM_new')).toMatchObject({
      status: 'ok',
      session: { id, owner: 'caller', status: 'ready', roomSid: 'RM_new' },
    });
  });

  test('an ended session, or a later launch, is not touched', async () => {
    const id = await startedId();
    const ref = await spawn(HOST, { roomSid: 'RM_old' });
    expect(await schema.sessions.replaceRoom({ ...ref, launch: 'earlier' }, 'RM_new')).toEqual({
      status: 'superseded',
      now: 'starting',
    });
    await schema.sessions.requestEnd({ sessionId: id, reason: 'caller_ended', by: 'caller' });
    expect(await schema.sessions.replaceRoom(ref, 'RM_new')).toEqual({ status: 'superseded', now: 'ending' });
    expect(await hash(id, 'roomSid')).toBe('RM_old');
    await schema.sessions.finishEnd(id, ref.generation);
    expect(await schema.sessions.replaceRoom(ref, 'RM_new')).toMatchObject({ status: 'superseded' });
    expect(await redis.command('EXISTS', `session:${id}`)).toBe(0);
  });
});

describe('a fenced room', () => {
  // As Ending.doom_fenced_room in commands/includes/ending.lua writes it.
  async function fence(room: string, untilMs: number): Promise<void> {
    await redis.command('HSET', 'rooms:fenced', room, Math.round(untilMs));
    await redis.command('ZADD', 'rooms:doomed', Date.now(), room);
  }

  test('stays doomed when it is deleted, and is due again some seconds later', async () => {
    await fence('room-a', Date.now() + 60_000);
    expect((await heartbeat()).doomed).toEqual(['room-a']);
    expect(await schema.rooms.clearDoomed('room-a')).toBe('fenced');
    expect((await heartbeat()).doomed).toEqual([]);
    const dueInMs = Number(await redis.command('ZSCORE', 'rooms:doomed', 'room-a')) - Date.now();
    expect(dueInMs).toBeGreaterThan(5000);
    expect(dueInMs).toBeLessThanOrEqual(15_000);
  });

  test('is cleared like any other once the token of its agent has run out', async () => {
    await fence('room-a', Date.now() - 1);
    expect(await schema.rooms.clearDoomed('room-a')).toBe('ok');
    expect(await redis.command('EXISTS', 'rooms:doomed', 'rooms:fenced')).toBe(0);
  });
});
