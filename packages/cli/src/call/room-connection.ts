import { setTimeout as sleep } from 'node:timers/promises';
import type { JoinDetails } from '@greenroom/contracts';
import { ParticipantKind, type RemoteParticipant, Room, RoomEvent, TrackKind } from '@livekit/rtc-node';
import type { CallClock } from './call-clock.js';
import { Ear } from './ear.js';
import { Microphone } from './microphone.js';
import type { Transcript } from './transcript.js';

const JOIN_LIMIT_MS = 15_000;
const FIRST_RETRY_MS = 100;
/** As long as a start may take, and a moment. */
const NEXT_AGENT_LIMIT_MS = 40_000;

/** One caller in one room: hears, speaks, and notices the agent. */
export class RoomConnection {
  readonly ear: Ear;
  readonly microphone = new Microphone();
  /** Aborted when the room is closed on us, or no agent comes back: the call is over. */
  readonly over: AbortSignal;
  readonly #over = new AbortController();
  readonly #clock: CallClock;
  readonly #transcript: Transcript;
  #room: Room | undefined;
  #agentInRoomMs: number | undefined;
  #agent: RemoteParticipant | undefined;
  #missing: NodeJS.Timeout | undefined;

  constructor(clock: CallClock, transcript: Transcript) {
    this.#clock = clock;
    this.#transcript = transcript;
    this.ear = new Ear(clock);
    this.over = this.#over.signal;
  }

  get agentInRoomMs(): number | undefined {
    return this.#agentInRoomMs;
  }

  /** What the agent says it is doing, where it says so: `listening`, `thinking`, `speaking`. */
  get agentState(): string | undefined {
    return this.#agent?.attributes['lk.agent.state'];
  }

  /**
   * @param stop ends the trying
   * @throws Error when the room cannot be joined in time
   */
  async join({ livekitUrl, token }: JoinDetails, stop: AbortSignal): Promise<void> {
    const deadline = performance.now() + JOIN_LIMIT_MS;
    const stopped = untilAborted(stop);
    for (let pauseMs = FIRST_RETRY_MS; ; pauseMs = Math.min(pauseMs * 2, 1000)) {
      if (stop.aborted) return;
      const room = this.#newRoom();
      const connecting = room.connect(livekitUrl, token, { autoSubscribe: true, dynacast: false });
      try {
        await Promise.race([connecting, stopped]);
        // Should it come about after all, nobody is there any more.
        if (stop.aborted) return void connecting.then(() => room.disconnect()).catch(() => undefined);
        this.#room = room;
        break;
      } catch (error) {
        // The room of a cold start may be a moment away.
        if (performance.now() > deadline)
          throw new Error(`The room could not be joined: ${String(error)}`, { cause: error });
      }
      await sleep(pauseMs, undefined, { signal: stop }).catch(() => undefined);
    }
    for (const participant of this.#room.remoteParticipants.values()) this.#notice(participant);
    // A room that is closed meanwhile would leave the publishing without an answer.
    await Promise.race([this.microphone.publish(this.#room), untilAborted(this.over)]);
  }

  async leave(): Promise<void> {
    await this.microphone.close();
    await this.#room?.disconnect();
  }

  #newRoom(): Room {
    const room = new Room();
    this.#transcript.follow(room, () => room.localParticipant?.identity);
    room.on(RoomEvent.ParticipantConnected, (participant) => this.#notice(participant));
    room.on(RoomEvent.ParticipantDisconnected, (participant) => {
      if (participant.identity === this.#agent?.identity) this.#missAgent();
    });
    room.on(RoomEvent.TrackSubscribed, (track, _publication, participant) => {
      this.#notice(participant);
      if (track.kind === TrackKind.KIND_AUDIO) this.ear.listenTo(track);
    });
    room.on(RoomEvent.Disconnected, () => {
      if (room === this.#room) this.#over.abort();
    });
    return room;
  }

  /** A call that is over is told by its room, which closes; one whose agent crashed gets another into the same room. */
  #missAgent(): void {
    this.#agent = undefined;
    clearTimeout(this.#missing);
    this.#missing = setTimeout(() => this.#over.abort(), NEXT_AGENT_LIMIT_MS).unref();
  }

  #notice(participant: RemoteParticipant): void {
    if (participant.kind !== ParticipantKind.AGENT || this.#agent !== undefined) return;
    this.#agent = participant;
    clearTimeout(this.#missing);
    this.#agentInRoomMs ??= this.#clock.now();
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
