import { CodedError } from '@greenroom/contracts';
import type { LaunchPlace, LogLine, LogPart, RedisSchema } from '@greenroom/redis-schema';

/** For all the questions of one request together. */
const ANSWER_LIMIT_MS = 2_000;
/** Most characters of lines in one answer. */
const MAX_TEXT = 512 * 1024;

/** Where a page of a log ends: before a byte of the log of one launch; undefined is its end. */
interface Position {
  readonly generation: number;
  readonly before: number | undefined;
}

export interface EndedLogPage {
  /** Oldest first. */
  readonly lines: LogLine[];
  /** For the page before this one; undefined at the beginning. */
  readonly nextCursor: string | undefined;
}

export interface EndedLogRequest {
  readonly sessionId: string;
  /** Oldest first. */
  readonly launches: readonly LaunchPlace[];
  readonly maxLines: number;
  readonly cursor: string | undefined;
}

/**
 * The last lines of a session that is over, from the hosts that its agents ran on: the log of the last launch, then the one
 * before. Bounded in time and size; what was not read is behind the cursor.
 * @throws CodedError `host_unreachable`, or `log_gone` when no log of any of its launches is there any more
 */
export async function readEndedLog(
  redis: Pick<RedisSchema, 'hosts'>,
  request: EndedLogRequest,
): Promise<EndedLogPage> {
  const { sessionId, launches, maxLines } = request;
  const begin = readCursor(request.cursor);
  const todo =
    begin === undefined ? [...launches] : launches.filter((it) => it.generation <= begin.generation);
  const until = performance.now() + ANSWER_LIMIT_MS;
  const lines: LogLine[] = [];
  let textLength = 0;
  let wasFound = begin !== undefined || launches.length === 0;
  let before = begin?.before;
  for (let launch = todo.pop(); launch !== undefined; launch = todo.pop()) {
    const { generation, host } = launch;
    for (let isOver = false; !isOver; ) {
      const position = { generation, before };
      if (lines.length >= maxLines || textLength >= MAX_TEXT)
        return { lines, nextCursor: toCursor(position) };
      const question = { sessionId, ...position, maxLines: maxLines - lines.length };
      const part = await redis.hosts.askLog(host, question, Math.max(1, until - performance.now()));
      if (part === undefined) {
        // What another host has is worth telling.
        if (lines.length > 0) return { lines, nextCursor: toCursor(position) };
        throw new CodedError('host_unreachable', { detail: UNREACHABLE });
      }
      if (part.status === 'ok') {
        wasFound = true;
        lines.unshift(...timedLines(part));
        textLength += part.lines.reduce((sum, line) => sum + line.length, 0);
      }
      before = part.status === 'ok' ? part.start : undefined;
      isOver = before === undefined;
    }
  }
  if (!wasFound) throw new CodedError('log_gone');
  return { lines, nextCursor: undefined };
}

function timedLines({ lines, times }: LogPart & { status: 'ok' }): LogLine[] {
  return lines.map((text, index) => ({ text, at: times?.[index] ?? undefined }));
}

const UNREACHABLE =
  'The host that keeps the log of this session did not answer within 2 seconds. The log is there again when the host is.';

function toCursor({ generation, before }: Position): string {
  return Buffer.from(before === undefined ? `${generation}` : `${generation} ${before}`).toString(
    'base64url',
  );
}

/** A malformed one reads as none. */
function readCursor(cursor: string | undefined): Position | undefined {
  const match = /^(\d{1,9})(?: (\d{1,15}))?$/.exec(Buffer.from(cursor ?? '', 'base64url').toString('utf8'));
  if (match?.[1] === undefined) return undefined;
  return { generation: Number(match[1]), before: match[2] === undefined ? undefined : Number(match[2]) };
}
