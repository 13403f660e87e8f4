import { type Room, RoomEvent, type TextStreamReader } from '@livekit/rtc-node';
import { isCaller } from './find-caller.js';

const CHAT_TOPIC = 'lk.chat';
/** More than anybody types before an agent listens; a caller's program may send anything. Of more the oldest go. */
const MAX_HELD = 50;

export type HearLine = (text: string) => void;

interface Line {
  readonly identity: string;
  readonly text: string;
}

/**
 * What callers type, from the first moment in the room. An agent is seen there a second before it can answer, and LiveKit may
 * tell it of a caller later than it hands on what that caller has typed: a line is kept until there is somebody to hear it, and
 * until it is known who typed it. Whoever is no caller is not heard.
 */
export class TypedLines {
  readonly #room: Pick<Room, 'on' | 'remoteParticipants'>;
  readonly #held: Line[] = [];
  #hear: HearLine | undefined;

  /** @param room not connected yet: what comes with the connection counts, too */
  constructor(room: Pick<Room, 'registerTextStreamHandler' | 'on' | 'remoteParticipants'>) {
    this.#room = room;
    room.registerTextStreamHandler(CHAT_TOPIC, (reader, { identity }) => void this.#read(reader, identity));
  }

  /**
   * From now on lines are handed on; first those that have waited, in the order in which they came. Once: whoever looks out for
   * callers has done so before, and meets a caller before it hears of them.
   */
  hearWith(hear: HearLine): void {
    this.#hear = hear;
    this.#room.on(RoomEvent.ParticipantConnected, () => this.#handOn());
    this.#handOn();
  }

  async #read(reader: TextStreamReader, identity: string): Promise<void> {
    let text: string;
    try {
      text = await reader.readAll();
    } catch {
      // Who typed it is gone in the middle of it, and shows it as not sent.
      return;
    }
    this.#held.push({ identity, text });
    this.#handOn();
    if (this.#held.length > MAX_HELD) this.#held.shift();
  }

  #handOn(): void {
    const hear = this.#hear;
    if (hear === undefined) return;
    for (const line of this.#held.splice(0)) {
      const participant = this.#room.remoteParticipants.get(line.identity);
      if (participant === undefined) this.#held.push(line);
      else if (isCaller(participant)) hear(line.text);
    }
  }
}
