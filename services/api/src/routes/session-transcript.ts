import { CodedError } from '@greenroom/contracts';
import Joi from 'joi';
import type { ApiContext } from '../context.js';
import type { Call } from '../http/call.js';
import { defineRoute, type Route } from '../http/route.js';
import { pageCursor } from '../http/validate.js';
import { requireSessionId } from '../sessions/find-session.js';
import { isoTime } from '../sessions/session-view.js';

interface TranscriptQuery {
  cursor?: string;
  limit: number;
}

const query = Joi.object<TranscriptQuery>({
  cursor: pageCursor,
  limit: Joi.number().integer().min(1).max(1000).default(200),
});

/** GET /api/session/:id/transcript: what was said in a call, where TRANSCRIPT_RETENTION has it kept, oldest line first. */
export function sessionTranscript({ redis }: ApiContext): Route {
  return defineRoute({
    method: 'get',
    paths: ['/api/session/:id/transcript'],
    access: 'admin',
    query,
    async handle({ id, query: { cursor, limit } }: Call<unknown, TranscriptQuery>) {
      const from = Number(/^\d{1,9}$/.exec(cursor ?? '')?.[0] ?? 0);
      const kept = await redis.history.transcript(requireSessionId(id), from, limit);
      if (kept === undefined) throw new CodedError('transcript_not_kept');
      const lines = kept.lines.map(({ at, role, text }) => ({ at: isoTime(at), role, text }));
      const nextCursor = kept.next === undefined ? null : String(kept.next);
      return { status: 200, body: { success: true, sessionId: id, lines, nextCursor } };
    },
  });
}
