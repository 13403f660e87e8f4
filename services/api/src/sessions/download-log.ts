import type { ApiContext } from '../context.js';
import type { Call } from '../http/call.js';
import type { LaunchPlace } from '@greenroom/redis-schema';
import { readEndedLog } from './ended-log.js';

/** A host answers with no more at once. */
const LINES_AT_ONCE = 1000;
/** Characters that are held for one download: hosts give their logs from the end on. */
const MAX_TEXT = 32 * 1024 * 1024;

export interface DownloadRequest {
  readonly id: string;
  /** Oldest first. */
  readonly launches: readonly LaunchPlace[];
  readonly maxText?: number;
}

/**
 * Sends the whole log that is kept of a session as a file. Resolves when it was sent, or the reader is gone.
 * @throws CodedError before the first byte; afterwards the connection is cut, so that nobody takes a part for the whole
 */
export async function downloadLog(
  { redis, streams }: Pick<ApiContext, 'redis' | 'streams'>,
  { id, launches, maxText = MAX_TEXT }: DownloadRequest,
  { response, client, address }: Pick<Call, 'response' | 'client' | 'address'>,
): Promise<void> {
  const leave = streams.open(client, address, () => response.destroy());
  const pages: string[][] = [];
  try {
    let left = maxText;
    for (let cursor: string | undefined; pages.length === 0 || cursor !== undefined; ) {
      const page = await readEndedLog(redis, { sessionId: id, launches, maxLines: LINES_AT_ONCE, cursor });
      pages.unshift(page.lines.map(({ text }) => text));
      cursor = page.nextCursor;
      // Whoever waits sees that it has begun; what takes long is not given up as unanswered.
      if (!response.headersSent) begin(response, id);
      if (response.destroyed) return;
      left -= page.lines.reduce((sum, { text }) => sum + text.length + 1, 0);
      if (left <= 0 && cursor !== undefined) {
        pages.unshift([CUT]);
        break;
      }
    }
    for (const lines of pages) if (lines.length > 0) response.write(`${lines.join('\n')}\n`);
    response.end();
  } catch (error) {
    if (!response.headersSent) throw error;
    response.destroy();
  } finally {
    leave();
  }
}

const CUT = '… older lines are left out: the log is too long to be downloaded at once';

function begin(response: Call['response'], id: string): void {
  response.status(200).set({
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Disposition': `attachment; filename="${id}.log"`,
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no',
  });
  response.flushHeaders();
}
