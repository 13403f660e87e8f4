import { CodedError, type LogLinesView } from '@greenroom/contracts';
import { type LaunchPlace, type LogLine, parseLaunches } from '@greenroom/redis-schema';
import Joi from 'joi';
import type { ApiContext } from '../context.js';
import type { Answer, Call } from '../http/call.js';
import { defineRoute, type Route } from '../http/route.js';
import { pageCursor } from '../http/validate.js';
import { readEndedLog } from '../sessions/ended-log.js';
import { downloadLog } from '../sessions/download-log.js';
import { requireSessionId, sessionEnded } from '../sessions/find-session.js';
import { followLogs } from '../sessions/follow-logs.js';
import { isoTimeOrNull } from '../sessions/session-view.js';

interface LogsQuery {
  tail: number;
  follow: boolean;
  download: boolean;
  cursor?: string;
}

const flag = () => Joi.boolean().truthy('1').falsy('0').default(false);

const query = Joi.object<LogsQuery>({
  tail: Joi.number().integer().min(0).max(1000).default(100),
  follow: flag(),
  download: flag(),
  cursor: pageCursor,
});

/**
 * GET /api/session/:id/logs: the agent's last lines, and with `?follow=1` every new one until the session is over. Those of
 * a session that is over come from the hosts on which its logs are kept, page by page. With `?download=1` all that is kept
 * comes from there, of a live one too.
 */
export function sessionLogs(context: ApiContext): Route {
  const { redis } = context;
  return defineRoute({
    method: 'get',
    paths: ['/api/session/:id/logs'],
    access: 'admin',
    query,
    async handle(call: Call<unknown, LogsQuery>) {
      const { query } = call;
      const found = await findLog(context, call);
      if (query.download && call.request.method === 'GET') {
        await downloadLog(context, found, call);
        return undefined;
      }
      if (!found.isLive) return answerEnded(context, { ...found, query });
      const { id } = found;
      if (query.cursor !== undefined) throw new CodedError('invalid_request', { detail: NO_PAGES });
      if (query.follow && call.request.method === 'GET') {
        await followLogs(id, query.tail, call, context);
        return undefined;
      }
      const lines = query.tail === 0 ? [] : await redis.agents.recentLines(id, query.tail);
      return { status: 200, body: { success: true, sessionId: id, ...viewLines(lines) } };
    },
  });
}

const NO_PAGES = 'This session is live and its log has no pages yet. Leave the cursor out.';

interface FoundLog {
  /** Of the session itself: it may have stood in line under another. */
  readonly id: string;
  /** Where it lies, oldest first. */
  readonly launches: readonly LaunchPlace[];
  readonly isLive: boolean;
}

/** @throws CodedError `session_not_found`, `log_gone`, or for one that is over and would be followed `session_ended` */
async function findLog({ redis }: ApiContext, { id, query }: Call<unknown, LogsQuery>): Promise<FoundLog> {
  const found = await redis.sessions.read(requireSessionId(id));
  if (found.status === 'live' && found.session.status !== 'error') {
    return { id: found.session.id, launches: parseLaunches(found.session.launches), isLive: true };
  }
  if (found.status === 'ended' && query.follow) throw sessionEnded(found.ended);
  const entry = await redis.history.read(id);
  if (entry?.forgotten) throw new CodedError('log_gone');
  if (entry !== undefined) return { ...entry, isLive: false };
  if (found.status === 'live') return { id, launches: parseLaunches(found.session.launches), isLive: false };
  if (found.status === 'ended') return { ...found.ended, isLive: false };
  throw new CodedError('session_not_found');
}

/** Times stand beside the lines: a reader that knows of none finds the lines as they always were. */
function viewLines(lines: readonly LogLine[]): LogLinesView {
  return { lines: lines.map(({ text }) => text), times: lines.map(({ at }) => isoTimeOrNull(at)) };
}

async function answerEnded(
  { redis }: ApiContext,
  { id, launches, query: { tail, cursor } }: FoundLog & { query: LogsQuery },
): Promise<Answer> {
  const { lines, nextCursor } = await readEndedLog(redis, {
    sessionId: id,
    launches,
    maxLines: tail,
    cursor,
  });
  return {
    status: 200,
    body: { success: true, sessionId: id, ...viewLines(lines), nextCursor: nextCursor ?? null },
  };
}
