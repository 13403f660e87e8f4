import { AGENT_STARTING, callReducer } from '@greenroom/dead-air';
import type { CallRecord } from '@greenroom/redis-schema';
import {
  type PhoneCall,
  startRedis,
  startTelnyx,
  type TestRedis,
  type TestTelnyx,
} from '@greenroom/test-kit';
import { expect } from '@jest/globals';
import request from 'supertest';
import { openTestApi, StandInSpawner, type TestApi } from './test-api.js';

export const PATH = '/api/webhooks/telnyx';
export const INCOMING = { direction: 'incoming', state: 'parked', from: '+15550100001', to: '+15550100002' };

/** What an api answers to a webhook: its status, and the fields of the body. */
export interface Heard {
  readonly status: number;
  readonly [field: string]: unknown;
}

interface Delivering {
  readonly to?: TestApi;
  /** When it happened. */
  readonly at?: number;
}

/** Two apis that take phone calls, and a Telnyx whose webhooks a test delivers by hand. Nobody sends a command here. */
export class TelnyxDesk {
  private constructor(
    readonly redis: TestRedis,
    readonly telnyx: TestTelnyx,
    readonly api: TestApi,
    readonly other: TestApi,
    readonly spawner: StandInSpawner,
  ) {}

  static async open(): Promise<TelnyxDesk> {
    const redis = await startRedis();
    // So that what is kept can be searched.
    await redis.command('CONFIG', 'SET', 'rdbcompression', 'no');
    const telnyx = await startTelnyx();
    const env = {
      ...telnyx.env,
      TELNYX_LINK: 'sip',
      TELNYX_SIP_URI: 'sip:{room}@sip.example.test',
      MAX_SESSIONS: '3',
      QUEUE_MAX: '20',
    };
    const api = await openTestApi({ redis, env });
    const other = await openTestApi({ redis, env });
    const spawner = new StandInSpawner(api.schema);
    await spawner.register();
    return new TelnyxDesk(redis, telnyx, api, other, spawner);
  }

  async close(): Promise<void> {
    await this.api.close();
    await this.other.close();
    await this.telnyx.stop();
    await this.redis.stop();
  }

  /** Ends every call and session. */
  async clear(): Promise<void> {
    for (const sessionId of await this.sessionIds()) {
      await this.api.adminPost('/api/session/end', { sessionId });
      await this.api.schema.sessions.finishEnd(sessionId, 1);
    }
    for (const { id } of this.telnyx.calls) await this.api.schema.calls.close(id);
  }

  /** Delivers an event as Telnyx does. */
  deliver(
    call: PhoneCall,
    type: string,
    payload: object = {},
    { to = this.api, at = Date.now() }: Delivering = {},
  ): Promise<Heard> {
    return this.post(call.eventOf(type, { ...payload }, at), to);
  }

  async post(
    event: object,
    to = this.api,
    alter: (body: string) => string = (body) => body,
    signedAt?: number,
  ): Promise<Heard> {
    const { body, headers } = this.telnyx.signed(event as never, signedAt);
    const { status, body: answer } = await request(to.app).post(PATH).set(headers).send(alter(body));
    return { status, ...answer };
  }

  /** A call that has a session and is to be answered. */
  async dial(): Promise<PhoneCall> {
    const call = this.telnyx.dial();
    expect(await this.deliver(call, 'call.initiated', INCOMING)).toMatchObject({
      status: 200,
      outcome: 'taken',
    });
    return call;
  }

  /** A call whose agent is there, as its spawner tells. */
  async answered(): Promise<PhoneCall> {
    const call = await this.dial();
    const at = Math.floor(this.api.schema.clock.now());
    await this.api.schema.calls.change(call.id, callReducer({ kind: 'work_ended', id: AGENT_STARTING, at }));
    expect(await this.deliver(call, 'call.answered')).toMatchObject({ status: 200, outcome: 'taken' });
    return call;
  }

  async read({ id }: PhoneCall): Promise<CallRecord> {
    return (await this.api.schema.calls.read(id)) as CallRecord;
  }

  async sessionIds(): Promise<string[]> {
    const { body } = await this.api.adminGet('/api/sessions');
    return body.sessions.map(({ sessionId }: { sessionId: string }) => sessionId);
  }

  /** What is to be sent for a call, in order, as it stands in Redis. */
  async outbox({ id }: PhoneCall): Promise<{ commandId: string }[]> {
    const text = await this.redis.command('HGET', `call:${id}`, 'outbox');
    const entries = JSON.parse(String(text ?? '[]')) as { json: string }[];
    return entries.map(({ json }) => JSON.parse(json) as { commandId: string });
  }

  /** What Redis holds, as texts. */
  async everything(of = /./): Promise<string> {
    const keys = ((await this.redis.command('KEYS', '*')) as string[]).filter((key) => of.test(key)).sort();
    const values = await Promise.all(keys.map((key) => this.redis.command('DUMP', key)));
    return keys.map((key, index) => `${key} ${String(values[index])}`).join('\n');
  }
}
