import { EventEmitter, once } from 'node:events';
import type { ReceivedCommand, TelnyxEvent } from './types.js';

/** What came for a call, and what was told of it. */
export class CallRecord {
  /** Every command for this call that came, in order, whatever became of it. */
  readonly requests: ReceivedCommand[] = [];
  /** Everything that was told of it, in the order in which it happened. */
  readonly events: TelnyxEvent[] = [];
  readonly #news = new EventEmitter().setMaxListeners(0);

  /** Those that had their effect, of this kind. */
  commands(action?: string): ReceivedCommand[] {
    return this.requests.filter(
      (it) => it.outcome === 'done' && (action === undefined || it.action === action),
    );
  }

  /**
   * The nth command of this kind that had its effect, past or future.
   * @throws when it does not come in time
   */
  async waitForCommand(action: string, nth = 1, timeoutMs = 10_000): Promise<ReceivedCommand> {
    return this.#wait(`${action} no. ${nth}`, () => this.commands(action)[nth - 1], timeoutMs);
  }

  /**
   * The nth event of this kind, past or future.
   * @throws when it does not happen in time
   */
  async waitForEvent(type: string, nth = 1, timeoutMs = 10_000): Promise<TelnyxEvent> {
    const find = () => this.events.filter((it) => it.event_type === type)[nth - 1];
    return this.#wait(`${type} no. ${nth}`, find, timeoutMs);
  }

  noteCommand(command: ReceivedCommand): void {
    this.requests.push(command);
    this.#news.emit('news');
  }

  protected noteEvent(event: TelnyxEvent): void {
    this.events.push(event);
    this.#news.emit('news');
  }

  async #wait<T>(what: string, find: () => T | undefined, timeoutMs: number): Promise<T> {
    const limit = AbortSignal.timeout(timeoutMs);
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      await once(this.#news, 'news', { signal: limit }).catch(() => {
        const got = this.requests.map((it) => `${it.action} ${it.outcome}`).join(', ');
        throw new Error(`${what} did not come within ${timeoutMs} ms; commands that came: ${got || 'none'}`);
      });
    }
  }
}
