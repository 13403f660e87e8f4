import type { LineEntryView, LineView } from '@greenroom/contracts';
import type { LineEntry } from '@greenroom/redis-schema';
import type { ApiContext } from '../context.js';
import { defineRoute, type Route } from '../http/route.js';
import { isoTime } from '../sessions/session-view.js';

const MAX_ENTRIES = 1_000;

/** GET /api/line: who waits for a turn, in the order in which they are served. */
export function getLine({ redis }: ApiContext): Route {
  return defineRoute({
    method: 'get',
    paths: ['/api/line'],
    access: 'admin',
    async handle() {
      const { waiting, line } = await redis.sessions.readLine(MAX_ENTRIES);
      const body: LineView = { success: true, waiting, line: line.map(viewLineEntry) };
      return { status: 200, body };
    },
  });
}

export function viewLineEntry({ userId, queuedAt, blockedBy, ...entry }: LineEntry): LineEntryView {
  return {
    ...entry,
    userId: userId ?? null,
    queuedAt: isoTime(queuedAt),
    ...(blockedBy !== undefined && { blockedBy }),
  };
}
