import { agentIdentity, CALLER_IDENTITY_PREFIX } from '@greenroom/contracts';
import {
  DataPacket_Kind,
  type ParticipantInfo,
  ParticipantInfo_State,
  RoomServiceClient,
} from 'livekit-server-sdk';
import type { LiveKitKeys } from './caller-token.js';

/** Sent again anyway where it did not work. */
const LIMIT_SECONDS = 1;

/** `ParticipantInfo.Kind` of livekit_models.proto; the SDK exports the field, not its names. */
const KIND_STANDARD = 0;
const KIND_SIP = 3;
const KIND_AGENT = 4;

export interface AgentInRoom {
  readonly sessionId: string;
  readonly generation: number;
  readonly roomName: string;
}

/** Data messages of the platform to the agent of a session. */
export class AgentMessages {
  readonly #client: RoomServiceClient;

  constructor(config: LiveKitKeys & { livekitUrl: string }) {
    this.#client = new RoomServiceClient(config.livekitUrl, config.livekitApiKey, config.livekitApiSecret, {
      requestTimeout: LIMIT_SECONDS,
      failover: false,
    });
  }

  /**
   * To whoever is in the room as its agent: a bot that mints its own token has an identity, and perhaps a kind, of its own.
   * @returns false when there is nobody to send it to
   * @throws when LiveKit does not answer, or has no such room
   */
  async send(to: AgentInRoom, topic: string, body: object): Promise<boolean> {
    const participants = await this.#client.listParticipants(to.roomName);
    const destinationIdentities = participants
      .filter((it) => isAgentOf(to, it))
      .map(({ identity }) => identity);
    if (destinationIdentities.length === 0) return false;
    const payload = new TextEncoder().encode(JSON.stringify(body));
    await this.#client.sendData(to.roomName, payload, DataPacket_Kind.RELIABLE, {
      topic,
      destinationIdentities,
    });
    return true;
  }

  /** Whether somebody is in the room who can be told something. @throws when LiveKit does not answer, or has no such room */
  async hasCaller(roomName: string): Promise<boolean> {
    const participants = await this.#client.listParticipants(roomName);
    return participants.some(
      ({ identity, kind, state }) =>
        state === ParticipantInfo_State.ACTIVE &&
        (identity.startsWith(CALLER_IDENTITY_PREFIX) || kind === KIND_SIP),
    );
  }
}

function isAgentOf(
  { sessionId, generation }: AgentInRoom,
  { identity, kind, state }: ParticipantInfo,
): boolean {
  if (state !== ParticipantInfo_State.ACTIVE) return false;
  if (kind !== KIND_AGENT && (kind !== KIND_STANDARD || identity.startsWith(CALLER_IDENTITY_PREFIX)))
    return false;
  // One that carries our identity of an earlier launch is on its way out.
  const isOurs = identity.startsWith(agentIdentity(sessionId, 0).slice(0, -1));
  return !isOurs || identity === agentIdentity(sessionId, generation);
}
