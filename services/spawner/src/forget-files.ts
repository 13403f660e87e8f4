import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { isSessionId } from '@greenroom/contracts';
import type { SpawnerContext } from './spawner-context.js';
import { untilAnswered } from './until-answered.js';

/**
 * Deletes what the agents of certain ended sessions have left on this host, because their user is to be forgotten. The orders
 * stand in the state; heartbeats repeat them until they are carried out.
 */
export class ForgetFiles {
  readonly #context: SpawnerContext;
  #running: Promise<void> | undefined;

  constructor(context: SpawnerContext) {
    this.#context = context;
  }

  /** Returns at once. What cannot be done now comes again. */
  take(sessionIds: readonly string[]): void {
    if (sessionIds.length === 0 || this.#running !== undefined) return;
    this.#running = this.#forget(sessionIds)
      .catch((error: unknown) => {
        if ((error as Error).name === 'AbortError') return;
        this.#context.logger.warn('logs of a user to be forgotten are still there', { error });
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  async #forget(sessionIds: readonly string[]): Promise<void> {
    const { redis, runs, state, leaving, logger } = this.#context;
    // One whose agent is still being ended writes to its file.
    const over = sessionIds.filter((id) => isSessionId(id) && runs.get(id) === undefined);
    for (const folder of [state.agentLogs, state.events]) await deleteFilesOf(new Set(over), folder);
    if (over.length === 0) return;
    await untilAnswered(() => redis.hosts.clearForgotten(state.hostId, over), leaving);
    logger.info('logs of a forgotten user deleted', { sessions: over.length });
  }
}

/** Files are named `{session id}-g{generation}` with an ending. */
async function deleteFilesOf(sessionIds: ReadonlySet<string>, folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const id = /^(.+)-g\d+\.[a-z]+$/.exec(name)?.[1];
    if (id !== undefined && sessionIds.has(id)) await rm(path.join(folder, name), { force: true });
  }
}
