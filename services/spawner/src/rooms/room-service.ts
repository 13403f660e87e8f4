import {
  agentIdentity,
  CALLER_IDENTITY_PREFIX,
  roomMetadata,
  type RoomOptions,
  readRoomMark,
} from '@greenroom/contracts';
import { type ParticipantInfo, ParticipantInfo_State, RoomServiceClient } from 'livekit-server-sdk';

/** LiveKit could not be reached or refused; whether it acted is unknown. */
export class LiveKitUnavailableError extends Error {
  override readonly name = 'LiveKitUnavailableError';
}

export interface OurRoom {
  name: string;
  sessionId: string;
  deployment: string | undefined;
  /** Milliseconds since 1970, by LiveKit's clock, to the second. */
  createdAtMs: number;
}

const REQUEST_TIMEOUT_SECONDS = 5;

/** `ParticipantInfo.Kind.AGENT` of livekit_models.proto; the SDK exports the field, not its names. */
const KIND_AGENT = 4;

/** LiveKit's room API, as far as a spawner needs it. Every call is bounded. */
export class RoomService {
  readonly #client: RoomServiceClient;

  constructor(url: string, apiKey: string, apiSecret: string) {
    const httpUrl = url.replace(/^ws/, 'http');
    this.#client = new RoomServiceClient(httpUrl, apiKey, apiSecret, {
      requestTimeout: REQUEST_TIMEOUT_SECONDS,
    });
  }

  /** Makes the room, or finds it if it is there. @returns its sid @throws LiveKitUnavailableError */
  async create(options: RoomOptions): Promise<string> {
    return this.#ask('create room', async () => {
      const room = await this.#client.createRoom({
        name: options.name,
        emptyTimeout: options.emptyTimeoutSeconds,
        departureTimeout: options.departureTimeoutSeconds,
        metadata: options.metadata,
      });
      return room.sid;
    });
  }

  /** Closes the room on everybody in it. A room that is gone already is a success. @throws LiveKitUnavailableError */
  async delete(roomName: string): Promise<void> {
    await this.#ask('delete room', async () => {
      await this.#client.deleteRoom(roomName).catch(ignoreNotFound);
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
    const current = agentIdentity(launch.sessionId, launch.generation);
    const ofAnyLaunch = agentIdentity(launch.sessionId, 0).slice(0, -1);
    const agents = await this.#listAgents(roomName);
    return agents.some(
      ({ state, identity }) =>
        state === ParticipantInfo_State.ACTIVE && (identity === current || !identity.startsWith(ofAnyLaunch)),
    );
  }

  /** Throws every agent out of the room. @throws LiveKitUnavailableError */
  async removeAgents(roomName: string): Promise<void> {
    for (const { identity } of await this.#listAgents(roomName)) {
      await this.#ask('remove participant', () =>
        this.#client.removeParticipant(roomName, identity).catch(ignoreNotFound),
      );
    }
  }

  /** Whether a caller is active in the room: somebody whose identity we minted. @throws LiveKitUnavailableError */
  async hasCaller(roomName: string): Promise<boolean> {
    return (await this.findCaller(roomName)) !== undefined;
  }

  /** The first caller that is active in the room, as its token describes it. @throws LiveKitUnavailableError */
  async findCaller(
    roomName: string,
  ): Promise<{ userId?: string; userName?: string; voiceId?: string } | undefined> {
    const participants = await this.#listParticipants(roomName);
    const caller = participants.find(
      ({ state, identity }) =>
        state === ParticipantInfo_State.ACTIVE && identity.startsWith(CALLER_IDENTITY_PREFIX),
    );
    if (caller === undefined) return undefined;
    const { userId, userName, voiceId } = caller.attributes;
    return {
      ...(userId !== undefined && { userId }),
      ...(userName !== undefined && { userName }),
      ...(voiceId !== undefined && { voiceId }),
    };
  }

  async #listAgents(roomName: string): Promise<ParticipantInfo[]> {
    return (await this.#listParticipants(roomName)).filter((it) => it.kind === KIND_AGENT);
  }

  /** A room that is not there has none. */
  #listParticipants(roomName: string): Promise<ParticipantInfo[]> {
    return this.#ask(
      'list participants',
      async () => (await this.#client.listParticipants(roomName).catch(ignoreNotFound)) ?? [],
    );
  }

  /** Tells an agent that was warm who its caller is. */
  async describeCaller(roomName: string, caller: Parameters<typeof roomMetadata>[0]): Promise<void> {
    await this.#ask('update room', () =>
      this.#client.updateRoomMetadata(roomName, roomMetadata(caller)).then(() => undefined),
    );
  }

  /** Rooms that carry our mark. Others are never reported, so that they are never touched. */
  async listOurs(): Promise<OurRoom[]> {
    return this.#ask('list rooms', async () => {
      const rooms = await this.#client.listRooms();
      return rooms.flatMap((room) => {
        const mark = readRoomMark(room.metadata);
        return mark ? [{ ...mark, name: room.name, createdAtMs: Number(room.creationTime) * 1000 }] : [];
      });
    });
  }

  async #ask<T>(what: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new LiveKitUnavailableError(`LiveKit: ${what}: ${message}`, { cause: error });
    }
  }
}

function ignoreNotFound(error: unknown): undefined {
  const { code, status } = error as { code?: unknown; status?: unknown };
  if (code !== 'not_found' && status !== 404) throw error;
  return undefined;
}
