import { type CallRecord, openRedis, type RedisSchema } from '@greenroom/redis-schema';
import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { HOST, StandInSpawner } from '../testing/test-api.js';
import { replaceAgent } from './replace-agent.js';

let redis: TestRedis;
let schema: RedisSchema;
let call: CallRecord;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.command('FLUSHALL');
  schema = openRedis({ url: redis.url, clientName: 'test' });
  await schema.connected(2_000);
  const spawner = new StandInSpawner(schema);
  await spawner.register();
  const sessionId = `session_${'s'.repeat(24)}`;
  await schema.sessions.start({
    sessionId,
    roomName: `greenroom-${sessionId}`,
    profile: 'default',
    userScope: '',
    trusted: false,
    maxSessions: 50,
    since: undefined,
    sessionTimeoutMs: 60_000,
  });
  await spawner.launchNext();
  const opened = await schema.calls.open({
    callId: sessionId,
    sessionId,
    medium: 'livekit',
    state: {},
    settings: {},
    dueAt: undefined,
  });
  if (opened.status !== 'opened') throw new Error(opened.status);
  call = opened.call;
});
afterEach(() => schema.close());

const wished = () => redis.command('HEXISTS', `session:${call.callId}`, 'restartRequested');

test('an agent is replaced, and one that was launched since the command is that other agent', async () => {
  expect(await replaceAgent(schema, call, schema.clock.now() - 60_000)).toBe('confirmed');
  expect(await wished()).toBe(0);
  expect(await replaceAgent(schema, call, schema.clock.now() + 1)).toBe('confirmed');
  expect(await wished()).toBe(1);
});

test('whose host is not heard is neither replaced nor given up: it is asked again', async () => {
  await redis.command('ZADD', 'hosts', String(Math.round(schema.clock.now()) - 16_000), HOST);
  await expect(replaceAgent(schema, call, schema.clock.now() + 1)).rejects.toThrow(/not heard/);
});

test('that nobody could launch again is given up', async () => {
  await redis.command('HSET', `host:${HOST}`, 'draining', '1');
  expect(await replaceAgent(schema, call, schema.clock.now() + 1)).toBe('refused');
});
