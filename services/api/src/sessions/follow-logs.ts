import type { Response } from 'express';
import type { ApiContext } from '../context.js';
import type { Call } from '../http/call.js';

/** How often we look whether the session still is. */
const LOOK_INTERVAL_MS = 2_000;
/** A comment line in between, so that proxies do not take a silent agent for a dead connection. */
const KEEP_ALIVE_EVERY = 5;
/** A reader that is this far behind is cut off; it can ask again. */
const MAX_UNREAD_BYTES = 1024 * 1024;

/**
 * Writes the last `tail` lines and then every new one, as server-sent events or, for `Accept: text/plain`, as plain
 * lines. Resolves when the stream has begun.
 * @throws RedisUnavailableError before the first byte
 */
export async function followLogs(
  sessionId: string,
  tail: number,
  { request, response }: Call,
  { redis, streams }: ApiContext,
): Promise<void> {
  const format = request.accepts(['text/event-stream', 'text/plain']) === 'text/plain' ? PLAIN : EVENTS;
  let onLine: (line: string) => void = () => undefined;
  const early: string[] = [];
  onLine = (line) => void early.push(line);
  const unfollow = await redis.agents.followLines(sessionId, (line) => onLine(line));
  let recent: string[];
  try {
    recent = tail === 0 ? [] : await redis.agents.recentLines(sessionId, tail);
  } catch (error) {
    await unfollow();
    throw error;
  }

  response
    .status(200)
    .set({ 'Content-Type': format.type, 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
  response.flushHeaders();
  const write = (text: string) => {
    if (response.writableEnded) return;
    response.write(text);
    if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
  };
  const end = () => {
    if (!response.writableEnded) response.end(format.end);
  };
  for (const line of joinWithoutRepeat(recent, early)) write(format.line(line));
  onLine = (line) => write(format.line(line));

  const forget = streams.add(end);
  const stopLooking = endWithSession(sessionId, response, {
    redis,
    end,
    keepAlive: () => write(format.keepAlive),
  });
  response.once('close', () => {
    stopLooking();
    forget();
    void unfollow();
  });
  // The client may have left while we asked Redis.
  if (response.destroyed) response.emit('close');
}

interface Format {
  type: string;
  line: (line: string) => string;
  keepAlive: string;
  end: string;
}

const EVENTS: Format = {
  type: 'text/event-stream; charset=utf-8',
  line: (line) => `event: line\ndata: ${JSON.stringify(line)}\n\n`,
  keepAlive: ': still here\n\n',
  end: 'event: end\ndata: {}\n\n',
};

const PLAIN: Format = {
  type: 'text/plain; charset=utf-8',
  line: (line) => `${line}\n`,
  keepAlive: '',
  end: '',
};

/** Lines heard while the recent ones were read may be among them: what both share is written once. */
export function joinWithoutRepeat(recent: readonly string[], early: readonly string[]): string[] {
  for (let shared = Math.min(recent.length, early.length); shared > 0; shared -= 1) {
    const end = recent.slice(-shared);
    if (end.every((line, index) => line === early[index])) return [...recent, ...early.slice(shared)];
  }
  return [...recent, ...early];
}

interface Follower {
  redis: ApiContext['redis'];
  end: () => void;
  keepAlive: () => void;
}

function endWithSession(
  sessionId: string,
  response: Response,
  { redis, end, keepAlive }: Follower,
): () => void {
  let looks = 0;
  const look = async () => {
    looks += 1;
    if (looks % KEEP_ALIVE_EVERY === 0) keepAlive();
    try {
      const { status } = await redis.sessions.read(sessionId);
      if (status !== 'live' && !response.writableEnded) end();
    } catch {
      // Redis is away; that ends nothing.
    }
  };
  const timer = setInterval(() => void look(), LOOK_INTERVAL_MS);
  return () => clearInterval(timer);
}
