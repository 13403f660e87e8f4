import { type ScriptRunner, unexpected } from './script-runner.js';

/** Rooms that must go, written in the step that ends their session. */
export class RoomStore {
  readonly #scripts: ScriptRunner;

  constructor(scripts: ScriptRunner) {
    this.#scripts = scripts;
  }

  /**
   * The room is verified gone.
   * @returns `fenced` when its agent may bring it back: it stays doomed and is due again in some seconds
   */
  async clearDoomed(roomName: string): Promise<'ok' | 'fenced'> {
    const answer = await this.#scripts.run('clear-doomed-room', { roomName });
    if (answer.status === 'ok' || answer.status === 'fenced') return answer.status;
    throw unexpected('clear-doomed-room', answer);
  }
}
