import {
  agentIdentity,
  CALLER_IDENTITY_PREFIX,
  LISTENER_IDENTITY_PREFIX,
  type ListenerMetadata,
  roomMetadata,
  type RoomOptions,
  readRoomMark,
} from '@greenroom/contracts';
import type { Presence, SeenInRoom } from '@greenroom/redis-schema';
import { type ParticipantInfo, ParticipantInfo_State, RoomServiceClient } from 'livekit-server-sdk';
import { askLiveKit, type Patience } from './ask-livekit.js';
import { Outages } from './outages.js';

export interface OurRoom {
  name: string;
  sessionId: string;
  deployment: string | undefined;
  /** Milliseconds since 1970, by LiveKit's clock, to the second. */
  createdAtMs: number;
}

/** A room, as LiveKit answered for it. */
export interface RoomInLiveKit {
  readonly sid: string;
  /** When LiveKit was asked, on the clock of performance.now(). */
  readonly seenAtMs: number;
}

/** One attempt. A room is made or listed in milliseconds, also by a LiveKit that is busy. */
const ATTEMPT_LIMIT_SECONDS = 2;
/** Where somebody waits for the answer and can do without it. */
const SHORT_ATTEMPT_LIMIT_SECONDS = 1;
const PATIENT: Patience = { limitMs: 3000 };
/** An end does not wait for LiveKit: a room that could not be deleted stays doomed. */
const BRIEF: Patience = { limitMs: 700 };
/** For what is asked again and again anyway. */
const ONCE: Patience = { limitMs: 0 };

/** `ParticipantInfo.Kind.AGENT` of livekit_models.proto; the SDK exports the field, not its names. */
const KIND_AGENT = 4;
const KIND_STANDARD = 0;

/** LiveKit's room API, as far as a spawner needs it. Every call is bounded, and asked again where that can help. */
export class RoomService {
  readonly #client: RoomServiceClient;
  readonly #hasty: RoomServiceClient;
  /** When LiveKit was found not to answer. */
  readonly outages = new Outages();

  constructor(url: string, apiKey: string, apiSecret: string) {
    const httpUrl = url.replace(/^ws/, 'http');
    const client = (requestTimeout: number) =>
      new RoomServiceClient(httpUrl, apiKey, apiSecret, { requestTimeout });
    this.#client = client(ATTEMPT_LIMIT_SECONDS);
    this.#hasty = client(SHORT_ATTEMPT_LIMIT_SECONDS);
  }

  /**
   * Makes the room, or finds it if it is there.
   * @throws LiveKitUnavailableError, AbortError
   */
  async create(options: RoomOptions, patience: Patience = PATIENT): Promise<RoomInLiveKit> {
    return this.#ask('create room', patience, async () => {
      const seenAtMs = performance.now();
      const room = await this.#client.createRoom({
        name: options.name,
        emptyTimeout: options.emptyTimeoutSeconds,
        departureTimeout: options.departureTimeoutSeconds,
        metadata: options.metadata,
      });
      return { sid: room.sid, seenAtMs };
    });
  }

  /** Closes the room on everybody in it. A room that is gone already is a success. @throws LiveKitUnavailableError */
  async delete(roomName: string): Promise<void> {
    await this.#ask('delete room', BRIEF, async () => {
      await this.#hasty.deleteRoom(roomName).catch(ignoreNotFound);
    });
  }

  /** Which of these rooms are there: their sids by name. @throws LiveKitUnavailableError */
  async sidsOf(roomNames: readonly string[]): Promise<Map<string, string>> {
    return this.#ask('list rooms', BRIEF, async () => {
      const rooms = await this.#hasty.listRooms([...roomNames]);
      return new Map(rooms.map(({ name, sid }) => [name, sid]));
    });
  }

  /**
   * Whether LiveKit itself says that a participant of kind agent is active in the room. One that carries our identity of
   * another launch does not count; a bot that mints its own token has an identity of its own.
   */
  async hasActiveAgent(
    roomName: string,
    launch: { sessionId: string; generation: number },
  ): Promise<boolean> {
    const participants = await this.#listParticipants(roomName, ONCE);
    return participants.filter(isAgentOf(launch)).some(isActive);
  }

  /**
   * Who is in the room: a caller of ours, and the agent of this launch. Somebody on the way in is neither there nor away. Besides,
   * who listens in there again without having asked anew.
   * @throws LiveKitUnavailableError
   */
  async whoIsIn(
    roomName: string,
    launch: { sessionId: string; generation: number },
  ): Promise<Omit<SeenInRoom, 'seenAt'> & { lateListeners?: string[] }> {
    const participants = await this.#listParticipants(roomName, ONCE);
    const callers = participants.filter(isCaller);
    const since = callers.filter(isActive).map(joinedAtMs);
    const lateListeners = participants.filter(isLateListener).map(({ identity }) => identity);
    return {
      caller: presenceOf(callers),
      ...(since.length > 0 && { callerSince: Math.min(...since) }),
      agent: presenceOf(participants.filter(isAgentOf(launch))),
      ...(lateListeners.length > 0 && { lateListeners }),
    };
  }

  /**
   * Whether anybody is in the room who may be the agent of this launch: a bot that mints its own token has an identity,
   * and perhaps a kind, of its own. @throws LiveKitUnavailableError
   */
  async mayHaveAgent(roomName: string, launch: { sessionId: string; generation: number }): Promise<boolean> {
    const current = agentIdentity(launch.sessionId, launch.generation);
    const ofAnyLaunch = ofAnyLaunchOf(launch.sessionId);
    const participants = await this.#listParticipants(roomName, ONCE);
    return participants.some(
      ({ identity, kind, state }) =>
        state !== ParticipantInfo_State.DISCONNECTED &&
        (kind === KIND_AGENT || (kind === KIND_STANDARD && !identity.startsWith(CALLER_IDENTITY_PREFIX))) &&
        (identity === current || !identity.startsWith(ofAnyLaunch)),
    );
  }

  /**
   * Throws out what came back of earlier launches of a session. @returns how many @throws LiveKitUnavailableError
   */
  async removeOlderAgents(
    roomName: string,
    launch: { sessionId: string; generation: number },
  ): Promise<number> {
    const current = agentIdentity(launch.sessionId, launch.generation);
    const ofAnyLaunch = ofAnyLaunchOf(launch.sessionId);
    const older = (await this.#listParticipants(roomName, ONCE)).filter(
      ({ identity }) => identity.startsWith(ofAnyLaunch) && identity !== current,
    );
    for (const { identity } of older) await this.#remove(roomName, identity);
    return older.length;
  }

  /** Throws every agent out of the room. @throws LiveKitUnavailableError */
  async removeAgents(roomName: string): Promise<void> {
    for (const { identity } of (await this.#listParticipants(roomName, PATIENT)).filter(isAgent)) {
      await this.#remove(roomName, identity);
    }
  }

  /** @throws LiveKitUnavailableError */
  async removeListeners(roomName: string, identities: readonly string[]): Promise<void> {
    for (const identity of identities) await this.#remove(roomName, identity);
  }

  async #remove(roomName: string, identity: string): Promise<void> {
    await this.#ask('remove participant', PATIENT, () =>
      this.#client.removeParticipant(roomName, identity).catch(ignoreNotFound),
    );
  }

  /** Whether a caller is active in the room: somebody whose identity we minted. @throws LiveKitUnavailableError */
  async hasCaller(roomName: string): Promise<boolean> {
    return (await this.findCaller(roomName)) !== undefined;
  }

  /** The first caller that is active in the room, as its token describes it. @throws LiveKitUnavailableError */
  async findCaller(
    roomName: string,
  ): Promise<{ userId?: string; userName?: string; voiceId?: string } | undefined> {
    const participants = await this.#listParticipants(roomName, PATIENT);
    const caller = participants.find((it) => isActive(it) && isCaller(it));
    if (caller === undefined) return undefined;
    const { userId, userName, voiceId } = caller.attributes;
    return {
      ...(userId !== undefined && { userId }),
      ...(userName !== undefined && { userName }),
      ...(voiceId !== undefined && { voiceId }),
    };
  }

  /** A room that is not there has none. */
  #listParticipants(roomName: string, patience: Patience): Promise<ParticipantInfo[]> {
    return this.#ask(
      'list participants',
      patience,
      async () => (await this.#client.listParticipants(roomName).catch(ignoreNotFound)) ?? [],
    );
  }

  /** Tells an agent that was warm who its caller is. */
  async describeCaller(roomName: string, caller: Parameters<typeof roomMetadata>[0]): Promise<void> {
    await this.#ask('update room', PATIENT, () =>
      this.#client.updateRoomMetadata(roomName, roomMetadata(caller)).then(() => undefined),
    );
  }

  /** Rooms that carry our mark. Others are never reported, so that they are never touched. */
  async listOurs(): Promise<OurRoom[]> {
    return this.#ask('list rooms', PATIENT, async () => {
      const rooms = await this.#client.listRooms();
      return rooms.flatMap((room) => {
        const mark = readRoomMark(room.metadata);
        return mark ? [{ ...mark, name: room.name, createdAtMs: Number(room.creationTime) * 1000 }] : [];
      });
    });
  }

  #ask<T>(what: string, patience: Patience, call: () => Promise<T>): Promise<T> {
    const answered = async (): Promise<T> => {
      const answer = await call();
      this.outages.answered();
      return answer;
    };
    return askLiveKit(what, answered, patience, (askedAtMs) => this.outages.failed(askedAtMs));
  }
}

/** What the identities of all launches of a session begin with. */
function ofAnyLaunchOf(sessionId: string): string {
  return agentIdentity(sessionId, 0).slice(0, -1);
}

function isAgent({ kind }: ParticipantInfo): boolean {
  return kind === KIND_AGENT;
}

function isCaller({ identity }: ParticipantInfo): boolean {
  return identity.startsWith(CALLER_IDENTITY_PREFIX);
}

/** It came back with a token that LiveKit gave it, so the caller was not told anew. */
function isLateListener(it: ParticipantInfo): boolean {
  return it.identity.startsWith(LISTENER_IDENTITY_PREFIX) && joinedAtMs(it) > joinByOf(it.metadata);
}

/** Versions before this one wrote none: theirs are left alone. */
function joinByOf(metadata: string): number {
  try {
    const { joinBy } = JSON.parse(metadata) as Partial<ListenerMetadata>;
    return typeof joinBy === 'number' ? joinBy : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** One that carries our identity of another launch is not meant; a bot that mints its own token has one of its own. */
function isAgentOf(launch: { sessionId: string; generation: number }) {
  const current = agentIdentity(launch.sessionId, launch.generation);
  const ofAnyLaunch = ofAnyLaunchOf(launch.sessionId);
  return (it: ParticipantInfo): boolean =>
    isAgent(it) && (it.identity === current || !it.identity.startsWith(ofAnyLaunch));
}

function isActive({ state }: ParticipantInfo): boolean {
  return state === ParticipantInfo_State.ACTIVE;
}

function presenceOf(participants: readonly ParticipantInfo[]): Presence {
  if (participants.some(isActive)) return 'present';
  const isGone = participants.every(({ state }) => state === ParticipantInfo_State.DISCONNECTED);
  return isGone ? 'absent' : 'unknown';
}

/** Older servers tell whole seconds only. */
function joinedAtMs({ joinedAt, joinedAtMs: exact }: ParticipantInfo): number {
  return exact > 0n ? Number(exact) : Number(joinedAt) * 1000;
}

function ignoreNotFound(error: unknown): undefined {
  const { code, status } = error as { code?: unknown; status?: unknown };
  if (code !== 'not_found' && status !== 404) throw error;
  return undefined;
}
