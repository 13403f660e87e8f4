import { ApiProblem, ask } from '../../shared/ask.js';
import type { OpenRoom, RoomPort } from './room-port.js';
import type { Store } from './store.js';
import { pause, untilAnswered } from './until-answered.js';

export interface JoinDetails {
  readonly url: string;
  readonly token: string;
}

export interface JoinerOptions {
  readonly store: Store;
  readonly openRoom: OpenRoom;
  /** The call is over, or not ours any more. */
  readonly gone: AbortSignal;
  /** The service says that there is no such call (any more). */
  onOver(problem: ApiProblem): void;
}

const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 8_000;
const STABLE_AFTER_MS = 10_000;

/** Gets this caller into the room of the call, and back into it as often as it takes. */
export class Joiner {
  readonly #options: JoinerOptions;
  #opening: Promise<RoomPort> | undefined;
  #room: RoomPort | undefined;
  #isWanted = false;
  #isJoining = false;
  #joinedAt = 0;
  #lossesInARow = 0;
  #hasLeft = false;

  constructor(options: JoinerOptions) {
    this.#options = options;
  }

  get room(): RoomPort | undefined {
    return this.#room;
  }

  /** Loads what it takes, before it is known where to go. */
  prepare(): void {
    this.#open().catch(() => undefined);
  }

  /** Once: whoever asks again is joining already. @param details of the answer to the start; else a token is asked for */
  join(details?: JoinDetails): void {
    if (this.#isWanted || this.#hasLeft) return;
    this.#isWanted = true;
    this.#show('joining');
    void this.#joinUntilThere(details);
  }

  leave(): void {
    this.#hasLeft = true;
    this.#opening?.then((room) => room.leave()).catch(() => undefined);
  }

  #open(): Promise<RoomPort> {
    const { store } = this.#options;
    this.#opening ??= this.#options
      .openRoom({
        onFacts: (facts) => store.dispatch({ type: 'room', facts, at: Date.now() }),
        onMicrophone: (microphone) => store.dispatch({ type: 'microphone', microphone }),
        onSegment: (segment) => store.dispatch({ type: 'segment', segment }),
        onLost: () => this.#rejoin(),
      })
      .catch((error: unknown) => {
        // It could not be loaded: the next attempt loads it again.
        this.#opening = undefined;
        throw error;
      });
    return this.#opening;
  }

  /** LiveKit tells of a connection that is lost, and of an attempt that came to nothing, which is under way here anyway. */
  #rejoin(): void {
    if (this.#hasLeft || this.#isJoining) return;
    this.#lossesInARow = Date.now() - this.#joinedAt < STABLE_AFTER_MS ? this.#lossesInARow + 1 : 0;
    this.#show('lost');
    void this.#joinUntilThere(undefined, this.#lossesInARow);
  }

  /** @param losses how often in a row it was lost right after it had come about: the next attempt waits for longer */
  async #joinUntilThere(first: JoinDetails | undefined, losses = 0): Promise<void> {
    this.#isJoining = true;
    if (losses > 0) await pause(pauseAfter(losses), this.#options.gone);
    let details = first;
    for (let attempt = 0; !this.#hasLeft; attempt += 1) {
      try {
        this.#room = await this.#open();
        details ??= await this.#askForToken();
        if (details === undefined || this.#hasLeft) return;
        // At first it is opened while the connection is made, which takes as long; a failure would open and close it each time.
        const isFirst = attempt === 0 && this.#joinedAt === 0;
        const opened = isFirst ? this.#room.setMicrophone(!this.#isMuted()) : undefined;
        await this.#room.connect(details.url, details.token);
        if (this.#hasLeft) return this.#room.leave();
        this.#isJoining = false;
        this.#joinedAt = Date.now();
        void this.#openMicrophone(opened);
        return;
      } catch {
        if (this.#hasLeft) return;
        // A token is good for one connection; and after a failure the room may be another one.
        details = undefined;
        if (attempt > 0) this.#show('lost');
        await pause(pauseAfter(attempt), this.#options.gone);
      }
    }
  }

  /** @param opened before there was a connection: what then failed may have been the connection */
  async #openMicrophone(opened: Promise<void> | undefined): Promise<void> {
    if (!opened) return this.#room?.setMicrophone(!this.#isMuted());
    await opened;
    const state = this.#options.store.get();
    if (state.screen === 'call' && state.call.microphone === 'failed') await this.#room?.setMicrophone(true);
  }

  /** @returns undefined when the call is over */
  async #askForToken(): Promise<JoinDetails | undefined> {
    const body = { sessionId: this.#sessionId() };
    try {
      const answer = await untilAnswered(
        () => ask<{ server_url: string; participant_token: string }>('/api/token', { method: 'POST', body }),
        this.#options.gone,
      );
      return { url: answer.server_url, token: answer.participant_token };
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.status !== 404) throw error;
      this.#options.onOver(error);
      return undefined;
    }
  }

  #sessionId(): string | undefined {
    const state = this.#options.store.get();
    return state.screen === 'call' ? state.call.sessionId : undefined;
  }

  #isMuted(): boolean {
    const state = this.#options.store.get();
    return state.screen === 'call' && state.call.isMuted;
  }

  #show(connection: 'joining' | 'lost'): void {
    this.#options.store.dispatch({ type: 'room', facts: { connection, hasAgent: false }, at: Date.now() });
  }
}

function pauseAfter(failures: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
}
