import { setTimeout as sleep } from 'node:timers/promises';
import { Room } from '@livekit/rtc-node';

export interface JoinOptions<Prepared> {
  readonly url: string;
  readonly token: string;
  /** Pauses between attempts, in milliseconds; one attempt more than pauses. */
  readonly pausesMs?: readonly number[];
  /** Limit of one attempt in milliseconds. Default 5 000. */
  readonly attemptMs?: number;
  /** What must be in place before the room connects. Each attempt has a room of its own. */
  readonly prepare: (room: Room) => Prepared;
}

const PAUSES_MS = [250, 500, 1000];

/**
 * Enters the room that the token is for.
 * @throws the last failure, when no attempt got in.
 */
export async function joinRoom<Prepared>({
  url,
  token,
  pausesMs = PAUSES_MS,
  attemptMs = 5_000,
  prepare,
}: JoinOptions<Prepared>): Promise<{ room: Room; prepared: Prepared }> {
  for (let attempt = 0; ; attempt += 1) {
    const room = new Room();
    const prepared = prepare(room);
    try {
      await withLimit(room.connect(url, token, { autoSubscribe: true, dynacast: false }), attemptMs);
      return { room, prepared };
    } catch (error) {
      const pauseMs = pausesMs[attempt];
      if (pauseMs === undefined) throw error;
      await sleep(pauseMs);
    }
  }
}

async function withLimit<T>(work: Promise<T>, limitMs: number): Promise<T> {
  const limit = new AbortController();
  const expiry = sleep(limitMs, undefined, { signal: limit.signal }).then(() => {
    throw new Error(`no answer within ${limitMs} ms`);
  });
  try {
    return await Promise.race([work, expiry]);
  } finally {
    limit.abort();
    expiry.catch(() => undefined);
  }
}
