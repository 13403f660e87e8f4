import type { LogLine } from '@greenroom/redis-schema';
import type { ApiContext } from '../context.js';
import type { Call } from '../http/call.js';
import { isoTimeOrNull } from './session-view.js';

/** The end is told; this look is for when it was not. A comment line with it keeps proxies from giving a silent agent up. */
const LOOK_INTERVAL_MS = 10_000;
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
  { request, response, client, address }: Call,
  { redis, streams }: ApiContext,
): Promise<void> {
  const format = request.accepts(['text/event-stream', 'text/plain']) === 'text/plain' ? PLAIN : asEvents();
  const end = () => {
    if (response.headersSent && !response.writableEnded) response.end(format.end);
  };
  const undo: (() => unknown)[] = [streams.open(client, address, end)];
  const stop = () => {
    for (const step of undo.splice(0)) step();
  };
  const early: LogLine[] = [];
  let onLine = (line: LogLine): void => void early.push(line);
  let recent: LogLine[];
  try {
    undo.push(await redis.agents.followLines(sessionId, (line) => onLine(line)));
    undo.push(await redis.events.follow(sessionId, ({ ended }) => ended && end()));
    recent = tail === 0 ? [] : await redis.agents.recentLines(sessionId, tail);
  } catch (error) {
    stop();
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
  for (const line of joinWithoutRepeat(recent, early)) write(format.line(line));
  onLine = (line) => write(format.line(line));

  const look = setInterval(() => {
    write(format.keepAlive);
    void endIfOver(sessionId, redis, end);
  }, LOOK_INTERVAL_MS);
  undo.push(() => clearInterval(look));
  void endIfOver(sessionId, redis, end);
  response.once('close', stop);
  // The client may have left while we asked Redis.
  if (response.destroyed) stop();
}

interface Format {
  type: string;
  line: (line: LogLine) => string;
  keepAlive: string;
  end: string;
}

/** Lines come in batches of one time, which is told before the first of them. */
function asEvents(): Format {
  let told: number | undefined;
  return {
    type: 'text/event-stream; charset=utf-8',
    line: ({ text, at }) => {
      const time = at === told ? '' : `event: at\ndata: ${JSON.stringify(isoTimeOrNull(at))}\n\n`;
      told = at;
      return `${time}event: line\ndata: ${JSON.stringify(text)}\n\n`;
    },
    keepAlive: ': still here\n\n',
    end: 'event: end\ndata: {}\n\n',
  };
}

const PLAIN: Format = {
  type: 'text/plain; charset=utf-8',
  line: ({ text }) => `${text}\n`,
  keepAlive: '',
  end: '',
};

/** Lines heard while the recent ones were read may be among them: what both share is written once. */
export function joinWithoutRepeat(recent: readonly LogLine[], early: readonly LogLine[]): LogLine[] {
  for (let shared = Math.min(recent.length, early.length); shared > 0; shared -= 1) {
    const end = recent.slice(-shared);
    if (end.every((line, index) => isSame(line, early[index]))) return [...recent, ...early.slice(shared)];
  }
  return [...recent, ...early];
}

function isSame(line: LogLine, other: LogLine | undefined): boolean {
  return line.text === other?.text && line.at === other.at;
}

async function endIfOver(sessionId: string, redis: ApiContext['redis'], end: () => void): Promise<void> {
  try {
    const { status } = await redis.sessions.read(sessionId);
    if (status !== 'live') end();
  } catch {
    // Redis is away; that ends nothing.
  }
}
