import type { ScriptRunner } from './script-runner.js';

/** Rooms that must go, written in the step that ends their session. */
export class RoomStore {
  readonly #scripts: ScriptRunner;

  constructor(scripts: ScriptRunner) {
    this.#scripts = scripts;
  }

  /** The room is verified gone. */
  async clearDoomed(roomName: string): Promise<void> {
    await this.#scripts.run('clear-doomed-room', { roomName });
  }
}
