import { beforeEach, describe, expect, test } from '@jest/globals';
import { parseSession, type SessionRecord } from './index.js';
import { addHost, HOST, heartbeat, newId, PROCESS, redis, schema, start, useRedis } from './testing/steps.js';

const CALL = 'v3:call';
const OTHER_HOST = 'host-b';
const OPENED = { v: 1 };
let session: SessionRecord;

useRedis(async () => {
  await addHost();
  session = aSessionByPhone();
});

/** What a host has on disk of a session whose caller is on the telephone. */
function aSessionByPhone(): SessionRecord {
  const id = newId();
  const known = { id, owner: 'caller', mode: 'user', profile: 'default', prewarmed: '0', callId: CALL };
  const times = { createdAt: '1000', callerJoinedAt: '2000', deadlineAt: String(Date.now() + 60_000) };
  return parseSession({ ...known, ...times, status: 'ready', roomName: `greenroom-${id}`, ttlMs: '60000' });
}

function publish(it = session, host = HOST) {
  const ref = { sessionId: it.id, generation: 1, launch: `launch-of-${it.id}` };
  return schema.sessions.publishLaunch(ref, host, it, PROCESS);
}

/** Redis has lost everything, and nobody has said yet what is there. */
async function loseData(): Promise<void> {
  await redis.command('FLUSHALL');
  await heartbeat();
}

/** The recovery is over, whoever has published what. */
async function recover(): Promise<void> {
  const startedAt = Number(await redis.command('HGET', 'recovery', 'startedAt')) - 10_000;
  await redis.command('HSET', 'recovery', 'startedAt', startedAt);
  await heartbeat(HOST, { published: startedAt });
  await addHost();
}

function open() {
  const wish = { callId: CALL, medium: 'phone', state: OPENED, settings: {}, dueAt: undefined } as const;
  return schema.calls.open({ ...wish, sessionId: session.id, facts: { room: session.roomName } });
}

const statusOf = (id: string) => redis.command('HGET', `session:${id}`, 'status');
const reasonOf = (id: string) => redis.command('HGET', `session:${id}`, 'endReason');

describe('a phone call whose data was lost', () => {
  beforeEach(loseData);

  test('is known again with its session, and begins when its host opens it, once', async () => {
    await publish();
    const call = { callId: CALL, medium: 'phone', sessionId: session.id, state: null };
    expect(await schema.calls.read(CALL)).toMatchObject({ ...call, facts: { room: session.roomName } });
    expect(await open()).toMatchObject({ status: 'opened', call: { state: OPENED } });
    expect(await open()).toMatchObject({ status: 'exists', call: { state: OPENED } });
    await publish();
    expect(await schema.calls.read(CALL)).toMatchObject({ state: OPENED, version: 2 });
  });

  test('lives no longer than its session, whoever ends that before its host has opened it: the phone is hung up', async () => {
    await publish();
    expect(Number(await redis.command('PTTL', `call:${CALL}`))).toBeGreaterThan(50_000);
    await schema.sessions.requestEnd({ sessionId: session.id, reason: 'admin_ended', by: 'admin' });
    const { outboxes } = await schema.calls.takeDue();
    expect(outboxes).toMatchObject([{ call: { callId: CALL }, entries: [{ command: { kind: 'end' } }] }]);
  });

  test('that is hung up before its host has published it ends with that, and nothing of it is left', async () => {
    expect(await schema.calls.hangUp(CALL, 'normal_clearing')).toBe('noted');
    expect(await schema.calls.hangUp(CALL, 'normal_clearing')).toBe('noted');
    expect(await publish()).toMatchObject({ status: 'ok', session: { status: 'ending' } });
    expect(await reasonOf(session.id)).toBe('caller_hung_up');
    expect(await redis.command('KEYS', `*${CALL}*`)).toEqual([]);
    // The answer was lost.
    expect(await publish()).toMatchObject({ status: 'ok', session: { status: 'ending' } });
    expect(await redis.command('ZCARD', 'calls:due')).toBe(0);
  });

  test('that is hung up before its host has opened it is found, and so is its session', async () => {
    await publish();
    await recover();
    expect(await schema.calls.hangUp(CALL, 'normal_clearing')).toMatchObject({ sessionId: session.id });
  });

  test('of which a second session was made while its host was not heard has the first again; the other ends alone', async () => {
    await recover();
    const second = await start();
    if (second.status !== 'created') throw new Error(second.status);
    const { id: sessionId } = second.session;
    await schema.calls.open({
      callId: CALL,
      medium: 'phone',
      state: OPENED,
      settings: {},
      dueAt: undefined,
      sessionId,
    });
    await addHost(OTHER_HOST);
    await publish(session, OTHER_HOST);
    expect(await schema.calls.read(CALL)).toMatchObject({ sessionId: session.id, state: null });
    expect(await schema.sessions.read(sessionId)).toMatchObject({
      status: 'ended',
      ended: { endReason: 'state_lost' },
    });
    expect((await schema.calls.takeDue()).outboxes).toEqual([]);
    expect(await statusOf(session.id)).toBe('ready');
  });
});

test('a hang-up of a call that is none of ours is not kept', async () => {
  await loseData();
  await recover();
  expect(await schema.calls.hangUp('v3:stranger', 'normal_clearing')).toBeUndefined();
  expect(await redis.command('KEYS', '*stranger*')).toEqual([]);
});

test('one that comes in a recovery, and that no host has, is forgotten after three minutes', async () => {
  await loseData();
  await schema.calls.hangUp('v3:stranger', 'normal_clearing');
  const keys = (await redis.command('KEYS', '*stranger*')) as string[];
  expect(keys).toEqual(['call:v3:stranger']);
  expect(Number(await redis.command('PTTL', keys[0]!))).toBeLessThanOrEqual(180_000);
  expect(Number(await redis.command('PTTL', keys[0]!))).toBeGreaterThan(0);
});
