import type { RoomOptions } from '@greenroom/contracts';
import type { Logger } from '@greenroom/service-kit';
import { RoomServiceClient } from 'livekit-server-sdk';
import type { LiveKitKeys } from './caller-token.js';
import { isAway, type LiveKitBreaker } from './livekit-breaker.js';

/** A caller waits for it: better an answer without the room than a late one. */
const CREATE_LIMIT_SECONDS = 0.8;

/** What the api itself does with rooms. The spawner does the same again, so a failure is logged and nothing else. */
export class Rooms {
  readonly #client: RoomServiceClient;
  readonly #breaker: LiveKitBreaker;
  readonly #logger: Pick<Logger, 'warn'>;

  constructor(
    config: LiveKitKeys & { livekitUrl: string },
    { breaker, logger }: { breaker: LiveKitBreaker; logger: Pick<Logger, 'warn'> },
  ) {
    this.#client = new RoomServiceClient(config.livekitUrl, config.livekitApiKey, config.livekitApiSecret, {
      requestTimeout: CREATE_LIMIT_SECONDS,
      failover: false,
    });
    this.#breaker = breaker;
    this.#logger = logger;
  }

  /**
   * Makes the room. One that is there already stays as it is. Never rejects.
   * @returns its sid; undefined where LiveKit could not be asked
   */
  async open(options: RoomOptions): Promise<string | undefined> {
    const room = await this.#attempt('cannot create the room yet; the spawner will', () =>
      this.#client.createRoom({
        name: options.name,
        emptyTimeout: options.emptyTimeoutSeconds,
        departureTimeout: options.departureTimeoutSeconds,
        metadata: options.metadata,
      }),
    );
    return room?.sid;
  }

  /** Tells a warm agent through the room's metadata who the caller is. Never rejects. */
  async introduce(options: RoomOptions): Promise<void> {
    await this.#attempt('cannot write the room metadata; the caller attributes carry the same', () =>
      this.#client.updateRoomMetadata(options.name, options.metadata),
    );
  }

  /** Throws out whoever is in the room. It stays doomed, so that a spawner does it again. Never rejects. */
  async close(name: string): Promise<void> {
    await this.#attempt('cannot delete the room yet; a spawner will', () =>
      this.#client.deleteRoom(name).catch(ignoreNotFound),
    );
  }

  async #attempt<T>(complaint: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (isAway(error)) this.#breaker.suspect();
      this.#logger.warn(complaint, { error });
      return undefined;
    }
  }
}

function ignoreNotFound(error: unknown): undefined {
  const { code, status } = error as { code?: unknown; status?: unknown };
  if (code !== 'not_found' && status !== 404) throw error;
  return undefined;
}
