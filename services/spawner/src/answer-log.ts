import { isSessionId } from '@greenroom/contracts';
import type { LogPart, LogQuestion } from '@greenroom/redis-schema';
import { readKeptLog, readLineTimes } from './logs/index.js';
import type { SpawnerContext } from './spawner-context.js';

const MAX_LINES = 1000;

/** Answers for the log of an ended launch that lies on this host, in parts. */
export async function answerLog({ state }: SpawnerContext, question: LogQuestion): Promise<LogPart> {
  const { sessionId, generation, before, maxLines } = question;
  // It becomes part of a path.
  if (!isSessionId(sessionId) || !Number.isSafeInteger(generation)) return { status: 'gone' };
  const file = state.logFile(sessionId, generation);
  const part = await readKeptLog({ file, before, maxLines: Math.min(maxLines, MAX_LINES) });
  if (part === undefined) return { status: 'gone' };
  const { lines, starts, start } = part;
  // A log can be read without its times.
  const times = await readLineTimes(file, starts).catch(() => starts.map(() => null));
  return { status: 'ok', lines, times, start };
}
