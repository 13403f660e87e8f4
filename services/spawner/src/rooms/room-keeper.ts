import { ConnectionWatch } from '@greenroom/service-kit';
import type { AgentRun } from '../agent-run.js';
import type { SessionEnds } from '../end-session.js';
import { keepRecord } from '../keep-record.js';
import { type SpawnerContext, shortId } from '../spawner-context.js';
import { forgottenRooms } from './judge-rooms.js';
import { roomOptionsOf } from './room-options-of.js';
import type { RoomInLiveKit } from './room-service.js';

interface Parts {
  ends: SessionEnds;
  /** LiveKit can be reached again: what waited for it may go on. */
  onReturn: () => void;
}

type RunWithRoom = AgentRun & { roomSid: string };

/** A room that was found missing is looked for once more, so much later: by then it shows whether LiveKit was away. */
const SECOND_LOOK_MS = 1000;

/**
 * Keeps the rooms of this host's agents: a LiveKit that was restarted has forgotten them, and gets them again before the
 * callers and agents that reconnect give up. A warm agent whose room is not the one that it joined is retired.
 *
 * That LiveKit went away is told by a connection that is held for this; each heartbeat compares besides, for what a load
 * balancer hides.
 */
export class RoomKeeper {
  readonly #context: SpawnerContext;
  readonly #parts: Parts;
  readonly #watch: ConnectionWatch;
  /** Rooms that LiveKit has forgotten and that are not made again yet. */
  readonly #owed = new Set<AgentRun>();
  /** Since when a caller's room is missing that LiveKit has not forgotten, on the clock of performance.now(). */
  readonly #missing = new WeakMap<AgentRun, number>();
  #connectedAtMs = Number.POSITIVE_INFINITY;
  #looking: Promise<void> | undefined;
  #lookAgain = false;

  constructor(context: SpawnerContext, parts: Parts) {
    this.#context = context;
    this.#parts = parts;
    this.#watch = new ConnectionWatch({
      url: context.config.livekitUrl,
      onLost: () => {
        context.rooms.outages.note();
        // What closes again and again is a load balancer: in between an absence must be able to prove something.
        const livedMs = performance.now() - this.#connectedAtMs;
        if (livedMs >= 2 * context.config.leaveGraceMs) context.rooms.outages.noteAbsence();
        context.logger.warn('the connection to LiveKit was lost');
      },
      onConnected: () => {
        this.#connectedAtMs = performance.now();
        this.look();
        parts.onReturn();
      },
    });
  }

  open(): void {
    this.#watch.open();
  }

  close(): void {
    this.#watch.close();
  }

  /** Compares the rooms that are wanted with those that are there. Returns at once; a look under way is followed by another. */
  look(): void {
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = this.#compare()
      .catch((error: unknown) => this.#report('rooms not compared, the next heartbeat does', error))
      .finally(() => {
        this.#looking = undefined;
        if (!this.#lookAgain) return;
        this.#lookAgain = false;
        this.look();
      });
  }

  /**
   * Whether the room of this agent was closed on purpose: it is not there, and LiveKit has kept its rooms. What cannot be
   * asked is not known to be finished.
   */
  async isFinished(run: AgentRun): Promise<boolean> {
    try {
      const { there, forgotten } = await this.#survey();
      const isMissing = hasRoom(run) && !there.has(run.session.roomName);
      return isMissing && !forgotten.includes(run) && !this.#owed.has(run);
    } catch (error) {
      this.#report('whether a room is finished is not known', error, run);
      return false;
    }
  }

  async #compare(): Promise<void> {
    const { wanted, there, forgotten, seenAtMs } = await this.#survey();
    for (const run of this.#owed) if (!wanted.includes(run as RunWithRoom)) this.#owed.delete(run);
    const { rooms, logger } = this.#context;
    const isNew = forgotten.some((run) => !this.#owed.has(run));
    for (const run of forgotten) this.#owed.add(run);
    if (isNew) {
      logger.warn('LiveKit has forgotten rooms', { rooms: forgotten.length });
      // Nobody may have seen it go; but whoever was in them has to come back.
      rooms.outages.noteAbsence();
    }
    await Promise.all(
      wanted.map((run) => {
        const sid = there.get(run.session.roomName);
        return this.#setRight(run, sid === undefined ? undefined : { sid, seenAtMs });
      }),
    );
  }

  async #survey() {
    const { rooms, runs } = this.#context;
    const wanted = runs.all().filter(hasRoom);
    const seenAtMs = performance.now();
    const none = new Map<string, string>();
    const there = wanted.length === 0 ? none : await rooms.sidsOf(wanted.map((run) => run.session.roomName));
    const forgotten = forgottenRooms(
      wanted.map((run) => ({
        run,
        name: run.session.roomName,
        sid: run.roomSid,
        mayHaveLapsed: rooms.outages.hasBeenSince(run.roomSeenAtMs),
        isWitness: rooms.outages.hasBegunSince(run.roomSeenAtMs),
      })),
      there,
    );
    return { wanted, there, seenAtMs, forgotten: forgotten.map(({ run }) => run) };
  }

  async #setRight(run: RunWithRoom, room: RoomInLiveKit | undefined): Promise<void> {
    try {
      if (room !== undefined) {
        this.#owed.delete(run);
        this.#missing.delete(run);
        if (room.sid === run.roomSid) run.roomSeenAtMs = room.seenAtMs;
        else await this.#settle(run, room);
      } else if (this.#owed.has(run)) {
        await this.#makeAgain(run);
      } else if (run.session.owner === 'pool') {
        // An agent without a room is of no use to a caller.
        await this.#settle(run);
      } else {
        await this.#endIfFinished(run);
      }
    } catch (error) {
      this.#report('a room could not be made again, the next heartbeat tries', error, run);
    }
  }

  /** Somebody has closed it. Had LiveKit been restarted, that would be known at the second look. */
  async #endIfFinished(run: RunWithRoom): Promise<void> {
    const nowMs = performance.now();
    const sinceMs = this.#missing.get(run) ?? nowMs;
    this.#missing.set(run, sinceMs);
    if (nowMs - sinceMs < SECOND_LOOK_MS) {
      setTimeout(() => this.look(), SECOND_LOOK_MS).unref();
      return;
    }
    // Whoever clears away what is left of the agent finds out by itself.
    if (run.phase === 'settling' || this.#isEnding(run)) return;
    this.#context.logger.info('the room was closed', { session: shortId(run.id) });
    await this.#parts.ends.endNow(run, 'room_finished');
  }

  async #makeAgain(run: RunWithRoom): Promise<void> {
    // Whether it is still warm is for Redis to say; a caller's room does not wait for that.
    const isWarm = run.session.owner === 'pool';
    if (isWarm && !(await this.#settle(run))) return;
    const { rooms, runs, logger } = this.#context;
    // Ended meanwhile, or between two launches, of which the next makes the room.
    if (runs.get(run.id) === undefined || this.#isEnding(run)) return;
    try {
      const room = await rooms.create(roomOptionsOf(this.#context, run), {
        limitMs: 3000,
        signal: run.giveWay.signal,
      });
      this.#owed.delete(run);
      logger.info('room made again', { session: shortId(run.id) });
      await this.#settle(run, room);
    } finally {
      // Its end may have begun, and have deleted the room, while we were making it.
      const isGone = runs.get(run.id) === undefined;
      if (this.#isEnding(run) && !run.leavesRoom) await this.#parts.ends.deleteRoom(run.session.roomName);
      else if (isGone || run.leavesRoom) this.#lookAfter(run);
    }
  }

  /**
   * Tells Redis that the room is gone, or which one is in its place. Without an answer the next look tells it again.
   * @returns whether the room is wanted; a warm agent is retired instead
   */
  async #settle(run: RunWithRoom, room?: RoomInLiveKit): Promise<boolean> {
    const answer = await this.#context.redis.sessions.replaceRoom(run.ref, room?.sid);
    switch (answer.status) {
      case 'ok':
        this.#parts.ends.takeState(run, answer.session);
        run.roomSid = room?.sid ?? run.roomSid;
        run.roomSeenAtMs = room?.seenAtMs ?? run.roomSeenAtMs;
        await keepRecord(this.#context, run);
        return true;
      case 'retired':
        this.#owed.delete(run);
        void this.#parts.ends.end(run.id);
        return false;
      case 'superseded':
        this.#owed.delete(run);
        this.#lookAfter(run);
        return false;
    }
  }

  /** The launch is over: whether its room goes with it, or waits for the next one, is for Redis to say. */
  #lookAfter(run: AgentRun): void {
    this.#parts.ends
      .endIfAsked(run.id, run.session.roomName)
      .catch((error: unknown) => this.#report('a lost session could not be looked at', error, run));
  }

  #isEnding({ id }: AgentRun): boolean {
    return this.#context.runs.get(id)?.phase === 'ending';
  }

  #report(what: string, error: unknown, run?: AgentRun): void {
    if ((error as Error).name === 'AbortError') return;
    this.#context.logger.warn(what, { error, ...(run && { session: shortId(run.id) }) });
  }
}

function hasRoom(run: AgentRun): run is RunWithRoom {
  return run.roomSid !== undefined && run.phase !== 'ending';
}
