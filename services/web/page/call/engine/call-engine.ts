import type { CallRequest } from '../state/call-state.js';
import { keptCall, keptKey, keptRequest } from './kept.js';
import { LiveCall } from './live-call.js';
import type { OpenRoom, RoomPort } from './room-port.js';
import { Store } from './store.js';

/** Answers that were perhaps lost on the way: what was asked for may have been started all the same. */
const LOST_ANSWERS: readonly string[] = ['unreachable', 'api_unreachable', 'request_timeout', 'internal'];

/** A connection may be dead before LiveKit knows: whatever was typed has a sign of it by then, or is said to be doubtful. */
const UNANSWERED_AFTER_MS = 8_000;

/** All that a person can do on this page. */
export class CallEngine {
  readonly store: Store;
  readonly #openRoom: OpenRoom;
  #call: LiveCall | undefined;
  /** Of the typed lines that are not sent yet, or just now. */
  readonly #saying = new Set<string>();
  readonly #unanswered = new Map<string, ReturnType<typeof setTimeout>>();
  #attempt: { request: CallRequest; key: string } | undefined;

  constructor(openRoom: OpenRoom) {
    this.#openRoom = openRoom;
    this.store = new Store({ screen: 'lobby', request: keptRequest.read() });
    const kept = keptCall.read();
    if (kept) void this.#newCall().returnTo(kept);
  }

  /** Loaded, and perhaps joined; undefined before. */
  get room(): RoomPort | undefined {
    return this.#call?.room;
  }

  start(request: CallRequest): void {
    keptRequest.write(request);
    this.#attempt = { request, key: this.#keyFor(request) };
    void this.#newCall().start(request, this.#attempt.key);
  }

  /** What was asked for before, once more. */
  retry(): void {
    this.start(this.store.get().request);
  }

  /** Who has not talked to anybody yet is back at the form; after a call there is something to tell. */
  end(): void {
    const state = this.store.get();
    this.#call?.end();
    if (state.screen === 'call' && state.call.marks.readyAt === undefined)
      this.store.dispatch({ type: 'lobby' });
  }

  /** To the form, whatever was there before. A call that this tab knows of is not ended by it. */
  showLobby(): void {
    const state = this.store.get();
    const problem = state.screen === 'call' ? state.call.problem : undefined;
    this.#leaveCall();
    keptCall.clear();
    this.store.dispatch({ type: 'lobby', ...(problem?.code === 'unauthorized' && { problem }) });
  }

  /** The call that another tab has goes on in this one. */
  takeOver(): void {
    const kept = keptCall.read();
    if (kept) void this.#newCall().returnTo(kept, true);
    else this.showLobby();
  }

  setMicrophone(isOn: boolean): void {
    void this.room?.setMicrophone(isOn);
  }

  chooseMicrophone(deviceId: string): void {
    void this.room?.chooseMicrophone(deviceId);
  }

  startAudio(): void {
    void this.room?.startAudio();
  }

  /** @param key of a line that was not heard, which is sent again */
  async say(text: string, key = `typed-${Date.now()}-${text.length}`): Promise<void> {
    if (this.#saying.has(key)) return;
    this.#saying.add(key);
    clearTimeout(this.#unanswered.get(key));
    this.store.dispatch({ type: 'typed', key, text, at: Date.now() });
    try {
      const { room } = this;
      if (!room) throw new Error('not in the room');
      // That an agent is lost is known here before it has left the room.
      await this.store.until((state) => state.screen !== 'call' || state.call.status !== 'restarting');
      await room.untilHeard();
      this.store.dispatch({ type: 'typed-sent', key });
      await room.sendText(text);
      this.#doubtLater(key);
    } catch {
      this.store.dispatch({ type: 'typed-failed', key });
    } finally {
      this.#saying.delete(key);
    }
  }

  #doubtLater(key: string): void {
    const doubt = (): void => this.store.dispatch({ type: 'typed-unanswered', key });
    this.#unanswered.set(key, setTimeout(doubt, UNANSWERED_AFTER_MS));
  }

  #leaveCall(): void {
    this.#call?.leave();
    this.#call = undefined;
    for (const timer of this.#unanswered.values()) clearTimeout(timer);
    this.#unanswered.clear();
  }

  #newCall(): LiveCall {
    this.#leaveCall();
    this.#call = new LiveCall({ store: this.store, openRoom: this.#openRoom, key: keptKey.read() });
    return this.#call;
  }

  /** The key of the attempt before, where its answer was lost: the service then gives what it has started already. */
  #keyFor(request: CallRequest): string {
    const state = this.store.get();
    const isLost =
      state.screen === 'call' && state.call.problem && LOST_ANSWERS.includes(state.call.problem.code);
    const isSame = JSON.stringify(this.#attempt?.request) === JSON.stringify(request);
    return isLost && isSame && this.#attempt ? this.#attempt.key : newKey();
  }
}

function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}
