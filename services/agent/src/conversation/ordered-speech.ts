import type { voice } from '@livekit/agents';
import type { EventLog } from '../events.js';
import type { PlatformMessages, SayOrder } from '../room/platform-messages.js';

/**
 * Says what the platform wants to have said, each thing once, and tells when it takes it up and when it is done with it. Into the
 * words of a caller it says nothing: that is done with at once.
 */
export class OrderedSpeech implements PlatformMessages {
  readonly #session: voice.AgentSession;
  readonly #events: EventLog;
  /** By command id; without a handle it will not be said. */
  readonly #taken = new Map<string, voice.SpeechHandle | undefined>();

  constructor(session: voice.AgentSession, events: EventLog) {
    this.#session = session;
    this.#events = events;
  }

  say({ commandId, text, isApology, isAnnouncement }: SayOrder): void {
    if (this.#taken.has(commandId)) return;
    this.#taken.set(commandId, undefined);
    if (this.#session.userState === 'speaking') return this.#report(commandId, false);
    // It stands behind whatever is to be said: behind an answer that never comes it would never be heard.
    if (isApology) this.#session.interrupt({ force: true });
    // A caller who speaks into what is said before it would take it out of the queue, though it was confirmed.
    const speech = this.#session.say(text, { allowInterruptions: !isAnnouncement });
    this.#taken.set(commandId, speech);
    this.#report(commandId, true);
    void speech
      .waitForPlayout()
      .finally(() => this.#report(commandId, false, isAnnouncement && speech.interrupted));
  }

  unsay(commandId: string): void {
    // It may overtake what it makes void.
    if (this.#taken.has(commandId)) this.#taken.get(commandId)?.interrupt(true);
    else {
      this.#taken.set(commandId, undefined);
      this.#report(commandId, false);
    }
  }

  #report(commandId: string, active: boolean, isCut = false): void {
    this.#events.write({ event: 'said', active, commandId, ...(isCut && { cut: true as const }) });
  }
}
