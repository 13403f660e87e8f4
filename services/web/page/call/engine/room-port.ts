import type { Room } from 'livekit-client';
import type { Microphone, RoomFacts } from '../state/call-state.js';
import type { Segment } from '../state/transcript.js';

/**
 * The room as the rest of the page knows it. What implements it brings LiveKit along, and is loaded after the first paint:
 * `talk/room-connection.ts`.
 */
export interface RoomPort {
  readonly room: Room;
  /** @throws when it does not come about */
  connect(url: string, token: string): Promise<void>;
  /** Opens the microphone, or lets it rest. Never throws: `onMicrophone` tells what became of it. */
  setMicrophone(isOn: boolean): Promise<void>;
  /** Another one, which is opened at once unless the caller is muted. Never throws, as above. */
  chooseMicrophone(deviceId: string): Promise<void>;
  /** Until there is an agent that listens, however long that takes. @throws when the room is lost before */
  untilHeard(): Promise<void>;
  /** @throws when it could not be sent */
  sendText(text: string): Promise<void>;
  /** After a click: plays what the browser has held back. */
  startAudio(): Promise<void>;
  /** For good. */
  leave(): void;
}

export interface RoomListener {
  onFacts(facts: Partial<RoomFacts>): void;
  onMicrophone(microphone: Microphone): void;
  onSegment(segment: Segment): void;
  /** LiveKit has given up, or the room is gone. */
  onLost(): void;
}

export type OpenRoom = (listener: RoomListener) => Promise<RoomPort>;
