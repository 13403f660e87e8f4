import type { Room, TextStreamReader } from '@livekit/rtc-node';
import type { CallClock } from './call-clock.js';

export interface TranscriptEntry {
  role: 'user' | 'agent';
  text: string;
  /** When its last word was known. Milliseconds since the session was asked for. */
  atMs: number;
}

/** LiveKit's topic for what was said, by either side. */
const TOPIC = 'lk.transcription';
const SEGMENT = 'lk.segment_id';
const FINAL = 'lk.transcription_final';

/** Collects what both sides said, a line for each finished segment. */
export class Transcript {
  readonly entries: TranscriptEntry[] = [];
  readonly #clock: CallClock;
  readonly #onEntry: (entry: TranscriptEntry) => void;
  readonly #seen = new Set<string>();

  constructor(clock: CallClock, onEntry: (entry: TranscriptEntry) => void) {
    this.#clock = clock;
    this.#onEntry = onEntry;
  }

  follow(room: Room, ownIdentity: () => string | undefined): void {
    room.registerTextStreamHandler(TOPIC, (reader, { identity }) => {
      const role = identity === ownIdentity() ? 'user' : 'agent';
      void this.#read(reader, role).catch(() => undefined);
    });
  }

  async #read(reader: TextStreamReader, role: TranscriptEntry['role']): Promise<void> {
    const text = (await reader.readAll()).trim();
    const attributes = reader.info.attributes ?? {};
    const segment = attributes[SEGMENT] ?? reader.info.streamId;
    // A caller's words come again and again until they are final; an agent's come as one stream a segment.
    if (text === '' || (role === 'user' && attributes[FINAL] === 'false') || this.#seen.has(segment)) return;
    this.#seen.add(segment);
    const entry = { role, text, atMs: this.#clock.now() };
    this.entries.push(entry);
    this.#onEntry(entry);
  }
}
