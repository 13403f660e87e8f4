import { AGENT_STARTING, callReducer } from '@greenroom/dead-air';
import {
  type PhoneCall,
  startRedis,
  startTelnyx,
  type TestRedis,
  type TestTelnyx,
  waitFor,
} from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type ServedApi, serveTestApi } from '../../testing/served-api.js';
import { HOST, StandInSpawner } from '../../testing/test-api.js';
import { CommandSender } from '../command-sender.js';
import { DueWatcher } from '../due-watcher.js';
import { EndOfCalls } from '../end-of-calls.js';
import { openPhoneSender } from './open-phone-sender.js';

/** Whole phone calls: two instances that hear of them in turn, and a Telnyx that takes their commands. */
const SILENCE_MS = 1_000;
let redis: TestRedis;
let telnyx: TestTelnyx;
let instances: Instance[];
let spawner: StandInSpawner;

interface Instance {
  readonly api: ServedApi;
  close(): Promise<void>;
}

beforeAll(async () => {
  redis = await startRedis();
  telnyx = await startTelnyx({ maxDelayMs: 30, doubled: 0.3, speakMs: () => 100 });
  instances = [await open(), await open()];
  telnyx.deliverTo(instances.map(({ api }) => api.baseUrl));
  spawner = new StandInSpawner(schema());
  await schema().hosts.register(HOST, [
    {
      name: 'default',
      voices: [],
      deadAirSettings: {
        silence_timeout_normal: SILENCE_MS / 1000,
        disconnect_delay: 0.4,
        max_checkins_before_disconnect: 1,
        checkin_message: 'Hello?',
      },
    },
  ]);
  await spawner.heartbeat();
});
afterAll(async () => {
  await telnyx.stop();
  for (const instance of instances) await instance.close();
  await redis.stop();
});
afterEach(async () => {
  telnyx.mend();
  for (const call of telnyx.calls) call.hangup();
  await telnyx.settled();
  await endAll();
  await spawner.heartbeat();
});

/** What the owner of the processes would do. */
async function endAll(): Promise<void> {
  const { sessions } = await schema().sessions.list({}, { limit: 100 });
  for (const { id: sessionId, generation } of sessions) {
    await schema().sessions.requestEnd({ sessionId, reason: 'admin_ended', by: 'admin' });
    await schema().sessions.finishEnd(sessionId, generation);
  }
}

const schema = () => instances[0]!.api.schema;

async function open(): Promise<Instance> {
  const env = {
    ...telnyx.env,
    TELNYX_LINK: 'sip',
    TELNYX_SIP_URI: 'sip:{room}@sip.example.test',
    MAX_SESSIONS: '2',
  };
  const api = await serveTestApi({ redis, env });
  const { config, metrics, logger, rooms } = api.context;
  const ends = new EndOfCalls({ redis: api.schema, rooms, ends: metrics.callEnds });
  const senders = openPhoneSender(config, { ends, metrics, logger });
  const sender = new CommandSender({
    redis: api.schema,
    senders,
    ends,
    commands: metrics.callCommands,
    logger,
  });
  const watcher = new DueWatcher({ redis: api.schema, sender, lateness: metrics.callLateness, logger });
  watcher.open();
  return {
    api,
    async close() {
      await watcher.close();
      await sender.idle();
      await api.close();
    },
  };
}

/** A call that is led to its agent, which is ready. */
async function connect(): Promise<{ call: PhoneCall; sessionId: string }> {
  const call = telnyx.dial();
  await call.waitForCommand('transfer');
  const { sessionId = '' } = (await schema().calls.read(call.id)) ?? {};
  await spawner.launchNext();
  await agentIsThere(call);
  return { call, sessionId };
}

/** What the spawner tells of a call whose agent it has started. */
async function agentIsThere({ id }: PhoneCall): Promise<void> {
  const at = Math.round(schema().clock.now());
  await schema().calls.change(id, callReducer({ kind: 'work_ended', id: AGENT_STARTING, at }));
}

async function endOf(sessionId: string): Promise<string | undefined> {
  const found = await schema().sessions.read(sessionId);
  if (found.status === 'live') return found.session.endReason;
  return found.status === 'ended' ? found.ended.endReason : undefined;
}

const nothingIsLeft = ({ id }: PhoneCall) =>
  waitFor(async () => {
    const keys = (await redis.command('KEYS', `*${id}*`)) as string[];
    const due = (await redis.command('ZRANGE', 'calls:due', 0, -1)) as string[];
    return keys.length === 0 && !due.some((member) => member.startsWith(id));
  });

test('a caller who says nothing is asked once and then hung up on, and the session ends for it', async () => {
  const { call, sessionId } = await connect();
  expect(call.status).toBe('answered');
  expect(call.isTranscribed).toBe(true);
  expect(call.legs[0]!.to).toMatch(/^sip:greenroom-.*@sip\.example\.test$/);
  const asked = await call.waitForCommand('speak');
  expect(asked.body).toMatchObject({ payload: 'Hello?' });
  await call.waitForCommand('hangup');
  expect(call.status).toBe('ended');
  expect(await endOf(sessionId)).toBe('dead_air');
  await nothingIsLeft(call);
  for (const action of ['answer', 'transfer', 'speak', 'hangup'])
    expect(call.commands(action)).toHaveLength(1);
});

test('a caller who goes on talking is not asked, and hangs up: the session ends with that', async () => {
  const { call, sessionId } = await connect();
  for (let n = 0; n < 4; n += 1) await call.callerSays('and another thing', 400);
  expect(call.commands('speak')).toEqual([]);
  call.hangup();
  await waitFor(async () => (await endOf(sessionId)) === 'caller_hung_up');
  await nothingIsLeft(call);
});

test('while the agent is heard nobody is asked', async () => {
  const call = telnyx.dial();
  await call.waitForCommand('answer');
  await agentIsThere(call);
  const ended = await call.agentSpeaks(SILENCE_MS * 1.5, 'speak');
  const asked = await call.waitForCommand('speak');
  expect(asked.at - ended).toBeGreaterThan(SILENCE_MS - 100);
});

describe('a session that ends for another reason', () => {
  test('has its phone hung up, however often Telnyx fails to take that', async () => {
    const { call, sessionId } = await connect();
    telnyx.disturb({ kind: 'fail', status: 503 }, 2, (_, action) => action === 'hangup');
    await instances[1]!.api.adminPost('/api/session/end', { sessionId });
    await call.waitForCommand('hangup');
    await nothingIsLeft(call);
    expect(call.requests.filter(({ action }) => action === 'hangup').map(({ outcome }) => outcome)).toEqual([
      'failed',
      'failed',
      'done',
    ]);
  });

  test('before the phone was answered, too', async () => {
    telnyx.disturb({ kind: 'fail', status: 500 }, 1_000, (_, action) => action === 'answer');
    const call = telnyx.dial();
    await waitFor(() => call.requests.some(({ action }) => action === 'answer'));
    const { sessionId } = (await schema().calls.read(call.id))!;
    await instances[0]!.api.adminPost('/api/session/end', { sessionId });
    await call.waitForCommand('hangup');
    await nothingIsLeft(call);
  });
});

test('a webhook does not wait for a Telnyx that hangs, and what it took too long for is sent again', async () => {
  telnyx.disturb({ kind: 'hang' }, 1, (_, action) => action === 'answer');
  const call = telnyx.dial();
  await telnyx.settled();
  expect(call.status).toBe('ringing');
  await call.waitForCommand('transfer');
  expect(call.requests.filter(({ action }) => action === 'answer').map(({ outcome }) => outcome)).toEqual([
    'hung',
    'done',
  ]);
});

test('a caller who has hung up before the answer leaves nothing: the answer comes too late', async () => {
  const call = telnyx.dial();
  // Its news is lost, or comes before that of the call.
  telnyx.deliverTo([]);
  call.hangup();
  telnyx.deliverTo(instances.map(({ api }) => api.baseUrl));
  await waitFor(() => call.requests.some(({ outcome }) => outcome === 'refused'));
  await nothingIsLeft(call);
  const { body } = await instances[0]!.api.adminGet('/api/sessions');
  expect(body.sessions.filter(({ status }: { status: string }) => status !== 'ending')).toEqual([]);
});

test('a full house is a busy signal, and nothing of it is left', async () => {
  await instances[0]!.api.start();
  await instances[0]!.api.start();
  const call = telnyx.dial();
  expect((await call.waitForCommand('reject')).body).toMatchObject({ cause: 'USER_BUSY' });
  await nothingIsLeft(call);
  expect(call.commands('answer')).toEqual([]);
});
