import { AGENT_STARTING, callReducer } from '@greenroom/dead-air';
import type { DeadAirSettings } from '@greenroom/contracts';
import type { RedisSchema } from '@greenroom/redis-schema';
import {
  type PhoneCall,
  startRedis,
  startTelnyx,
  type TestRedis,
  type TestTelnyx,
  waitFor,
} from '@greenroom/test-kit';
import { CommandSender } from '../calls/command-sender.js';
import { DueWatcher } from '../calls/due-watcher.js';
import { EndOfCalls } from '../calls/end-of-calls.js';
import { openPhoneSender } from '../calls/telnyx/open-phone-sender.js';
import { type ServedApi, serveTestApi } from './served-api.js';
import { HOST, StandInSpawner } from './test-api.js';

export interface ExchangeOptions {
  readonly settings: DeadAirSettings;
  readonly maxSessions: number;
}

/** Whole phone calls: two apis that hear of them in turn and send their commands, and a Telnyx that takes those. */
export class PhoneExchange {
  /** One after the other: who launches takes the next, whosever it is. */
  #launching = Promise.resolve();

  private constructor(
    readonly redis: TestRedis,
    readonly telnyx: TestTelnyx,
    readonly apis: readonly [WatchingPhones, WatchingPhones],
    readonly spawner: StandInSpawner,
  ) {}

  static async open({ settings, maxSessions }: ExchangeOptions): Promise<PhoneExchange> {
    const redis = await startRedis();
    const telnyx = await startTelnyx({ maxDelayMs: 30, doubled: 0.3, speakMs: () => 100 });
    const options = { redis, env: { ...telnyx.env, ...LINK, MAX_SESSIONS: String(maxSessions) } };
    const apis = [await watchPhones(options), await watchPhones(options)] as const;
    const { schema } = apis[0].api;
    const exchange = new PhoneExchange(redis, telnyx, apis, new StandInSpawner(schema));
    exchange.listen();
    await schema.hosts.register(HOST, [{ name: 'default', voices: [], deadAirSettings: settings }]);
    await exchange.spawner.heartbeat();
    return exchange;
  }

  get schema(): RedisSchema {
    return this.apis[0].api.schema;
  }

  /** The webhooks reach both apis in turn. */
  listen(): void {
    this.telnyx.deliverTo(this.apis.map(({ api }) => api.baseUrl));
  }

  async close(): Promise<void> {
    await this.telnyx.stop();
    for (const api of this.apis) await api.close();
    await this.redis.stop();
  }

  /** Ends every call and session. */
  async clear(): Promise<void> {
    this.telnyx.mend();
    for (const call of this.telnyx.calls) call.hangup();
    await this.telnyx.settled();
    const { sessions } = await this.schema.sessions.list({}, { limit: 100 });
    for (const { id: sessionId, generation } of sessions) {
      await this.schema.sessions.requestEnd({ sessionId, reason: 'admin_ended', by: 'admin' });
      await this.schema.sessions.finishEnd(sessionId, generation);
    }
    await this.spawner.heartbeat();
  }

  /** A call that is led to its agent, which is ready. */
  async connect(): Promise<{ call: PhoneCall; sessionId: string }> {
    const call = this.telnyx.dial();
    await call.waitForCommand('transfer');
    const { sessionId = '' } = (await this.schema.calls.read(call.id)) ?? {};
    await this.launch(sessionId);
    await this.agentIsThere(call);
    return { call, sessionId };
  }

  /** Launches what is to be launched until this one is ready. */
  launch(sessionId: string): Promise<void> {
    this.#launching = this.#launching.then(async () => {
      for (;;) {
        const found = await this.schema.sessions.read(sessionId);
        if (found.status !== 'live' || found.session.status !== 'starting') return;
        await this.spawner.launchNext();
      }
    });
    return this.#launching;
  }

  /** What the spawner tells of a call whose agent it has started. */
  async agentIsThere({ id }: PhoneCall): Promise<void> {
    const at = Math.round(this.schema.clock.now());
    await this.schema.calls.change(id, callReducer({ kind: 'work_ended', id: AGENT_STARTING, at }));
  }

  async endOf(sessionId: string): Promise<string | undefined> {
    const found = await this.schema.sessions.read(sessionId);
    if (found.status === 'live') return found.session.endReason;
    return found.status === 'ended' ? found.ended.endReason : undefined;
  }

  async nothingIsLeft({ id }: PhoneCall): Promise<void> {
    await waitFor(async () => {
      const keys = (await this.redis.command('KEYS', `*${id}*`)) as string[];
      const due = (await this.redis.command('ZRANGE', 'calls:due', 0, -1)) as string[];
      return keys.length === 0 && !due.some((member) => member.startsWith(id));
    });
  }

  /** What both apis have counted, by outcome. */
  async attempts(): Promise<Readonly<Record<string, number>>> {
    const counts: Record<string, number> = {};
    for (const { api } of this.apis) {
      for (const { labels, value } of (await api.context.metrics.telnyxCommands.get()).values) {
        counts[labels.outcome ?? ''] = (counts[labels.outcome ?? ''] ?? 0) + value;
      }
    }
    return counts;
  }
}

const LINK = { TELNYX_LINK: 'sip', TELNYX_SIP_URI: 'sip:{room}@sip.example.test' };

interface WatchingPhones {
  readonly api: ServedApi;
  close(): Promise<void>;
}

async function watchPhones(options: Parameters<typeof serveTestApi>[0]): Promise<WatchingPhones> {
  const api = await serveTestApi(options);
  const { config, metrics, logger, rooms } = api.context;
  const ends = new EndOfCalls({ redis: api.schema, rooms, ends: metrics.callEnds });
  const sender = new CommandSender({
    redis: api.schema,
    senders: openPhoneSender(config, { ends, metrics, logger }),
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
