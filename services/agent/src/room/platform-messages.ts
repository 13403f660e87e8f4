import { type RemoteParticipant, type Room, RoomEvent } from '@livekit/rtc-node';

const SAY_TOPIC = 'greenroom.say';
const UNSAY_TOPIC = 'greenroom.unsay';

/** Something that the platform wants to have said. */
export interface SayOrder {
  /** The same one may come again: it is said once. */
  readonly commandId: string;
  readonly text: string;
  /** Whether it is said because no answer comes: then it takes the place of the answer. */
  readonly isApology: boolean;
  /** Whether the caller must hear it, whatever is said meanwhile: somebody is about to listen. */
  readonly isAnnouncement: boolean;
}

export interface PlatformMessages {
  say(order: SayOrder): void;
  /** It is void, begun or not. */
  unsay(commandId: string): void;
}

/**
 * Calls back for what the platform sends into the room. Whoever sends as a participant is not the platform, and must not put
 * words into the agent's mouth.
 */
export function onPlatformMessages(room: Room, messages: PlatformMessages): void {
  room.on(
    RoomEvent.DataReceived,
    (payload: Uint8Array, sender?: RemoteParticipant, _kind?: unknown, topic?: string) => {
      if (sender !== undefined || (topic !== SAY_TOPIC && topic !== UNSAY_TOPIC)) return;
      const { commandId, text, purpose } = parseBody(payload);
      if (typeof commandId !== 'string') return;
      if (topic === UNSAY_TOPIC) messages.unsay(commandId);
      else if (typeof text === 'string') {
        const isApology = purpose === 'apology';
        messages.say({ commandId, text, isApology, isAnnouncement: purpose === 'announcement' });
      }
    },
  );
}

function parseBody(payload: Uint8Array): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(new TextDecoder().decode(payload));
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
