import { type Epoch, type HeartbeatAnswer, HostTakenError } from '@greenroom/redis-schema';
import type { HostDrain } from './drain.js';
import type { SessionEnds } from './end-session.js';
import type { ForgetFiles } from './forget-files.js';
import { HostLoad } from './host-load.js';
import type { KillOrders } from './kill-orders.js';
import type { Launcher } from './launcher.js';
import { keepRecord } from './keep-record.js';
import { endLostRuns } from './lost-runs.js';
import type { LostHosts } from './lost-hosts.js';
import type { PoolKeeper } from './pool.js';
import type { Recovery } from './recovery.js';
import type { RoomKeeper } from './rooms/room-keeper.js';
import type { RoomWatch } from './rooms/room-watch.js';
import type { UnclaimedWatch } from './rooms/unclaimed-watch.js';
import type { SpawnerContext } from './spawner-context.js';
import type { Supervisor } from './supervisor.js';

const HEARTBEAT_MS = 5000;
/** After this long without a heartbeat others have taken this host for unreachable. */
const SILENT_MS = 15_000;

interface Parts {
  recovery: Recovery;
  kills: KillOrders;
  drain: HostDrain;
  lost: LostHosts;
  unclaimed: UnclaimedWatch;
  forget: ForgetFiles;
  ends: SessionEnds;
  supervisor: Supervisor;
  launcher: Launcher;
  pool: PoolKeeper;
  rooms: RoomKeeper;
  watch: RoomWatch;
}

/**
 * Says that this host lives, and hears what waits for it. Wake-ups say the same sooner; whichever is lost, the next
 * heartbeat finds it, because the facts stand in Redis.
 */
export class HostPresence {
  readonly #context: SpawnerContext;
  readonly #parts: Parts;
  readonly #startedAt = Date.now();
  readonly #load = new HostLoad();
  #timer: NodeJS.Timeout | undefined;
  #isDraining = false;
  #cannotLaunch = false;
  /** Until it has started up it takes nothing, but will. */
  #isLaunching = false;
  #beating: Promise<void> | undefined;
  #taken: HostTakenError | undefined;
  /** On the clock of performance.now(). */
  #heardAt = performance.now();
  readonly #unlisten: (() => Promise<void>)[] = [];

  constructor(context: SpawnerContext, parts: Parts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** May be called again where it failed. @throws RedisUnavailableError when Redis does not answer */
  async open(): Promise<void> {
    const { redis, state } = this.#context;
    this.#unlisten.push(
      await redis.bus.listen(`host:${state.hostId}:wake`, (message) => this.#onHostWake(message)),
    );
    this.#unlisten.push(await redis.bus.listen('spawners:wake', (message) => this.#onWake(message)));
    redis.bus.onGap(() => this.#catchUp());
    await this.beat();
    this.#timer = setInterval(() => void this.beat(), HEARTBEAT_MS);
  }

  /** No new work comes here, and warm agents of this host are not handed out. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    await this.#beatAnew();
  }

  /** One that is under way says, and has heard, what was. */
  async #beatAnew(): Promise<void> {
    await this.#beating;
    await this.beat();
  }

  /** For as long as nothing may be launched here: callers are told so, instead of waiting for nobody. */
  setLaunching(canLaunch: boolean): void {
    this.#cannotLaunch = !canLaunch;
    this.#isLaunching = canLaunch;
    void this.beat();
  }

  /** Set while another spawner holds this host id: this one takes no more work, and ends only what is not its own. */
  get taken(): HostTakenError | undefined {
    return this.#taken;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#unlisten.map((unlisten) => unlisten()));
  }

  /** Never rejects: without Redis there is nothing to hear, and it ends nothing. */
  beat(): Promise<void> {
    this.#beating ??= this.#beat()
      .catch((error: unknown) => {
        this.#context.logger.warn('heartbeat failed', { error });
      })
      .finally(() => {
        this.#beating = undefined;
      });
    return this.#beating;
  }

  async #beat(): Promise<void> {
    this.#parts.rooms.look();
    this.#parts.ends.retryDeletions();
    const heard = await this.#hear();
    if (heard === undefined) return this.#endLost(this.#taken?.epoch);
    const wasSilent = performance.now() - this.#heardAt > SILENT_MS;
    this.#heardAt = performance.now();
    if (heard.deployment !== undefined) this.#context.deployment = heard.deployment;
    for (const sessionId of heard.ending) this.#endIfAsked(sessionId);
    for (const sessionId of heard.restarting) this.#restartIfAsked(sessionId);
    this.#parts.kills.take(heard.kills);
    this.#parts.lost.take(heard.silent);
    this.#parts.unclaimed.take(heard.unclaimed);
    this.#parts.drain.follow(heard.drainWantedSince);
    this.#parts.forget.take(heard.forget);
    if (wasSilent) void this.#endLost(heard.epoch);
    for (const roomName of heard.doomed) void this.#parts.ends.deleteRoom(roomName);
    if (heard.pendingDue > 0) this.#parts.launcher.look();
    await this.#parts.recovery.follow(heard);
  }

  async #hear(): Promise<HeartbeatAnswer | undefined> {
    const { config, logger, memory, redis, state, runs } = this.#context;
    const fields = {
      capacity: config.hostCapacity,
      concurrency: config.spawnConcurrency,
      version: this.#context.version,
      startedAt: this.#startedAt,
      running: runs.size,
      draining: this.#isDraining || this.#cannotLaunch,
      published: this.#parts.recovery.published,
      lostAfterMs: config.hostLostAfterMs,
      joinGraceMs: config.joinGraceMs,
      memoryFree: memory.freeBytes(),
      shortOfMemory: memory.isShort(),
      load: this.#load.read(),
      takesOffers: this.#isLaunching,
      hears: true,
    };
    try {
      const heard = await redis.hosts.heartbeat(state.hostId, fields);
      if (this.#taken !== undefined) logger.warn('this spawner holds its host id again');
      this.#taken = undefined;
      return heard;
    } catch (error) {
      if (!(error instanceof HostTakenError)) throw error;
      logger.error('another spawner has taken the host id; no more work is taken here', { error });
      this.#taken = error;
      return undefined;
    }
  }

  /** Launches and refills that had to wait for the data go on. */
  #goOn(): void {
    void this.beat().then(() => {
      this.#parts.pool.refillAll();
      this.#parts.launcher.look();
    });
  }

  /** In a life of the data that does not know our launches yet nothing is lost. Never rejects; the sweep looks again. */
  async #endLost(epoch: Epoch | undefined): Promise<void> {
    if (epoch === undefined || epoch !== this.#context.epoch) return;
    await endLostRuns(this.#context, this.#parts.ends).catch((error: unknown) => {
      this.#context.logger.warn('agents that lost their session were not looked for', { error });
    });
  }

  /** Messages may have been missed: everything that they could have said is looked at. */
  #catchUp(): void {
    void this.beat();
    this.#parts.watch.wakeAll();
    for (const profile of this.#context.profiles.keys()) this.#parts.pool.refill(profile);
    const waiting = this.#context.runs.all().filter((run) => run.session.owner === 'pool');
    for (const run of waiting) void this.#onAssigned(run.id);
  }

  #onHostWake(message: unknown): void {
    const { kind, id } = message as { kind?: string; id?: string };
    if (kind === 'drain') void this.#beatAnew();
    if (kind === 'launch') this.#parts.launcher.look();
    if (id === undefined) return;
    if (kind === 'end') this.#endIfAsked(id);
    if (kind === 'forget') void this.#beatAnew();
    if (kind === 'restart') this.#restartIfAsked(id);
    if (kind === 'room') this.#parts.watch.wake(id);
    if (kind === 'hear') this.#decide(id);
    if (kind === 'assigned') void this.#onAssigned(id);
  }

  #onWake(message: unknown): void {
    const { kind, profile } = message as { kind?: string; profile?: string };
    if (kind === 'pool' && profile !== undefined) this.#parts.pool.refill(profile);
    if (kind === 'doomed' || kind === 'recover') void this.beat();
    if (kind === 'recovered') this.#goOn();
    if (kind === 'launch') this.#parts.launcher.look();
  }

  /** Whoever asked asks again, until it is done. */
  #decide(sessionId: string): void {
    const run = this.#context.runs.get(sessionId);
    if (run !== undefined) void this.#context.calls.decide(run);
  }

  #endIfAsked(sessionId: string): void {
    this.#parts.ends.endIfAsked(sessionId).catch((error: unknown) => {
      if ((error as Error).name === 'AbortError') return;
      this.#context.logger.warn('an end could not be looked at, the next heartbeat does', { error });
    });
  }

  #restartIfAsked(sessionId: string): void {
    this.#parts.supervisor.restartIfAsked(sessionId).catch((error: unknown) => {
      if ((error as Error).name === 'AbortError') return;
      this.#context.logger.warn('a restart failed, the next heartbeat looks again', { error });
    });
  }

  /** A warm agent has a caller now: it is told who, and its deadline is the call's. */
  async #onAssigned(sessionId: string): Promise<void> {
    const { redis, rooms, runs, deployment, logger } = this.#context;
    const run = runs.get(sessionId);
    if (run === undefined || run.phase === 'ending') return;
    try {
      const found = await redis.sessions.read(sessionId);
      if (found.status !== 'live' || found.session.owner !== 'caller') return;
      this.#parts.ends.takeState(run, found.session);
      await keepRecord(this.#context, run).catch((error: unknown) =>
        logger.warn('launch record not brought up to date', { error }),
      );
      const { userId, userName, voiceId, roomName } = found.session;
      await rooms.describeCaller(roomName, { sessionId, deployment, userId, userName, voiceId });
    } catch (error) {
      logger.warn('the caller could not be described to a warm agent', { error });
    }
  }
}
