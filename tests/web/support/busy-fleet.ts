import { setTimeout as sleep } from 'node:timers/promises';
import { type LaunchRef, openRedis, type RedisSchema } from '@greenroom/redis-schema';

const HOSTS = ['amsterdam', 'berlin', 'cork'];
const NAMES = ['Ada', 'Grace', 'Linus', 'Barbara', 'Edsger', 'Frances', 'Ken', 'Radia', 'Donald', 'Margaret'];
const PROFILES = ['default', 'booking', 'support'];
const HEARTBEAT_MS = 5_000;
const TICK_MS = 50;
/** Two days ago. */
const STARTED_AT = Date.now() - 2 * 86_400_000;
const MAX_UNDER_WAY = 20;
/** Of one call that ends and another that begins: ending, ended; starting, claimed, spawned, ready. */
const CHANGES_OF_A_TURN = 6;

interface Call extends LaunchRef {
  readonly begunAt: number;
  /** Of one core. */
  readonly share: number;
}

/**
 * Hosts without processes: they take every state step that spawners take, on a real Redis, and so a real api tells of a
 * deployment that is larger than a test could start.
 */
export class BusyFleet {
  readonly #redis: RedisSchema;
  readonly #live: Call[] = [];
  /** Of hosts that are not heard of any more. */
  readonly #left: Call[] = [];
  /** What the hosts have heard of the recovery that is under way. */
  #recovery: number | undefined;
  #begun = 0;
  #changes = 0;
  readonly #over = new AbortController();
  #isResting = false;
  #work: Promise<unknown> = Promise.resolve();
  #heartbeats: Promise<unknown> = Promise.resolve();

  private constructor(redis: RedisSchema) {
    this.#redis = redis;
  }

  /** So many calls are ready, and nothing else happens yet. */
  static async open(redisUrl: string, calls: number): Promise<BusyFleet> {
    const redis = openRedis({ url: redisUrl, clientName: 'busy-fleet', commandTimeoutMs: 10_000 });
    await redis.connected(5_000);
    const fleet = new BusyFleet(redis);
    for (const host of HOSTS) await fleet.#join(host);
    fleet.#heartbeats = fleet.#goOn();
    await fleet.begin(calls);
    return fleet;
  }

  /** State steps and measurements that were written so far. */
  get changes(): number {
    return this.#changes;
  }

  get calls(): number {
    return this.#live.length + this.#left.length;
  }

  get oldest(): string | undefined {
    return this.#live[0]?.sessionId;
  }

  async begin(calls: number): Promise<void> {
    for (let left = calls; left > 0; left -= MAX_UNDER_WAY) {
      await Promise.all(Array.from({ length: Math.min(left, MAX_UNDER_WAY) }, () => this.#begin()));
    }
  }

  /** A host takes so many calls, and is not heard of again. */
  async leaveBehind(host: string, calls: number): Promise<void> {
    await this.#join(host);
    for (let taken = 0; taken < calls; taken += 1) this.#left.push(await this.#launch(host));
  }

  /** All hosts are heard, with what they have to publish. */
  async heartbeat(): Promise<void> {
    await Promise.all(HOSTS.map((host) => this.#heartbeat(host)));
  }

  async endNewest(calls: number): Promise<void> {
    await Promise.all(this.#live.splice(-calls).map((call) => this.#end(call)));
  }

  /** Agents that exit at once, one start after the other. */
  async failStarts(profile: string, times: number): Promise<void> {
    for (let time = 0; time < times; time += 1) {
      await this.#redis.sessions.failLaunch(await this.#claim(profile, this.#nextHost), {
        error: 'The agent exited with code 1 before it was ready.',
        lastLines: [],
        maxAttempts: 1,
        backoffMs: 0,
        holdoffBaseMs: 1_000,
        holdoffMaxMs: 1_000,
        isAgentsFault: true,
      });
    }
  }

  /** The oldest call is to end, and its processes do not. */
  async raiseAlarm(): Promise<void> {
    const { sessionId = '', generation = 0 } = this.#live.shift() ?? {};
    await this.#redis.sessions.requestEnd({ sessionId, reason: 'caller_ended', by: 'caller' });
    await this.#redis.sessions.raiseAlarm(sessionId, generation, 'kill_failed');
  }

  /** From now on so much happens: calls end, others begin in their place, and the rest is measured in turn. */
  work(changesPerSecond: number): void {
    this.#work = this.#change(changesPerSecond);
  }

  /** Nothing happens any more; the hosts are there. */
  async rest(): Promise<void> {
    this.#isResting = true;
    await this.#work;
  }

  async close(): Promise<void> {
    this.#over.abort();
    await Promise.all([this.rest(), this.#heartbeats]);
    await this.#redis.close();
  }

  async #change(perSecond: number): Promise<void> {
    const perTick = (perSecond * TICK_MS) / 1_000;
    const begunAt = performance.now();
    const underWay = new Set<Promise<unknown>>();
    for (let tick = 1; !this.#isResting; tick += 1) {
      const turn = this.#takeTurn().finally(() => underWay.delete(turn));
      underWay.add(turn);
      for (let rest = CHANGES_OF_A_TURN; rest < perTick; rest += 1) await this.#measure(tick * 7 + rest);
      if (underWay.size >= MAX_UNDER_WAY) await turn;
      await sleep(begunAt + tick * TICK_MS - performance.now());
    }
    await Promise.all(underWay);
  }

  async #goOn(): Promise<void> {
    while (!this.#isOver) {
      await this.heartbeat();
      // Until the next one is due, or it is over.
      await sleep(HEARTBEAT_MS, undefined, { signal: this.#over.signal }).catch(() => undefined);
    }
  }

  get #isOver(): boolean {
    return this.#over.signal.aborted;
  }

  async #takeTurn(): Promise<void> {
    const oldest = this.#live.shift();
    if (!oldest) return;
    await this.#end(oldest);
    await this.#begin();
  }

  async #end({ sessionId, generation }: Call): Promise<void> {
    const { sessions } = this.#redis;
    await sessions.requestEnd({ sessionId, reason: 'caller_ended', by: 'caller' });
    await sessions.finishEnd(sessionId, generation);
    this.#changes += 2;
  }

  async #begin(): Promise<void> {
    this.#live.push(await this.#launch(this.#nextHost));
  }

  get #nextHost(): string {
    return HOSTS[this.#begun % HOSTS.length] ?? '';
  }

  async #launch(host: string): Promise<Call> {
    const { sessions } = this.#redis;
    const serial = this.#begun;
    const ref = await this.#claim(PROFILES[(serial * 7) % PROFILES.length] ?? '', host);
    await sessions.commitLaunch(ref, {
      pid: 100_000 + serial,
      pgid: 100_000 + serial,
      startTime: '1',
      roomSid: 'RM_x',
      logFile: '/tmp/x.log',
    });
    await sessions.markReady(ref, 400 + (serial % 17) * 90);
    this.#changes += CHANGES_OF_A_TURN - 2;
    return { ...ref, begunAt: performance.now(), share: 0.02 + (serial % 23) / 100 };
  }

  /** A call is asked for, and a host takes one up: in the same order, unless several are asked for at once. */
  async #claim(profile: string, host: string): Promise<LaunchRef> {
    const { sessions } = this.#redis;
    const serial = this.#begun;
    this.#begun += 1;
    const sessionId = `session_${String(serial).padStart(24, '0')}`;
    const name = NAMES[serial % NAMES.length] ?? '';
    await sessions.start({
      sessionId,
      roomName: `greenroom-${sessionId}`,
      profile,
      userId: `${name.toLowerCase()}-${serial}`,
      userName: `${name} ${serial}`,
      userScope: '',
      trusted: true,
      maxSessions: 2_000,
      since: undefined,
      sessionTimeoutMs: 3_600_000,
    });
    const claimed = await sessions.claim({
      host,
      launch: `launch_${String(serial).padStart(24, '0')}`,
      hostCapacity: 400,
      includePool: true,
    });
    if (claimed.status !== 'claimed') throw new Error(`${host} has not claimed: ${claimed.status}`);
    const { id, generation, launch } = claimed.session;
    return { sessionId: id, generation, launch };
  }

  async #measure(seed: number): Promise<void> {
    const call = this.#live[seed % this.#live.length];
    if (!call) return;
    const { begunAt, share, ...ref } = call;
    const rss = String(90_000_000 + (seed % 40) * 1_000_000);
    const cpu = (((performance.now() - begunAt) / 1_000) * share).toFixed(2);
    await this.#redis.sessions.renew(ref, 3_600_000, { status: 'alive', rss, cpu, processes: '2' });
    this.#changes += 1;
  }

  async #join(host: string): Promise<void> {
    await this.#redis.hosts.register(
      host,
      PROFILES.map((name) => ({ name, voices: [], poolTarget: 0 })),
    );
    await this.#heartbeat(host);
  }

  async #heartbeat(host: string): Promise<void> {
    const { recovery } = await this.#redis.hosts.heartbeat(host, {
      capacity: 400,
      concurrency: 400,
      version: 'test',
      startedAt: STARTED_AT,
      running: 0,
      draining: false,
      // They have nothing to tell of: what Redis has lost is gone.
      ...(this.#recovery !== undefined && { published: this.#recovery }),
    });
    this.#recovery = recovery;
  }
}
