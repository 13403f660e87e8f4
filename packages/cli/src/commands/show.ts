import type { AdminSessionView } from '@greenroom/contracts';
import type { Command } from 'commander';
import type { AdminApi } from '../api/admin-api.js';
import { ApiError } from '../api/api-error.js';
import { findSessionId } from '../api/find-session.js';
import { adminApi, type CommandContext, type CommonFlags, withCommonOptions } from '../context.js';
import { toFailure } from '../output/describe-error.js';
import { type LiveDetails, renderEnded, renderLive } from '../output/session-page.js';

/** `greenroom show ID`: everything about one session, live or over. */
export function addShow(program: Command, context: CommandContext): void {
  const command = program
    .command('show')
    .description('Show everything about a session: state, processes, silence, timeline')
    .argument('<id>', 'session, or the beginning of its id');
  withCommonOptions(command, context).action(async (typed: string, flags: CommonFlags) => {
    const { terminal } = context;
    const api = adminApi(flags, context);
    const id = await findSessionId(api, typed);
    const live = await readLive(api, id);
    if (live !== undefined) {
      return flags.json ? terminal.printJson(live) : terminal.print(...renderLive(live, terminal));
    }
    const ended = { session: await api.history(id), timeline: await orNull(api.timeline(id)) };
    return flags.json ? terminal.printJson(ended) : terminal.print(...renderEnded(ended, terminal));
  });
}

/** Undefined where the session is over. @throws ApiError */
async function readLive(api: AdminApi, id: string): Promise<LiveDetails | undefined> {
  let session: AdminSessionView;
  try {
    session = await api.session(id);
  } catch (error) {
    if (error instanceof ApiError && error.code === 'session_ended') return undefined;
    // Over for more than an hour: only the history knows it.
    if (error instanceof ApiError && error.code === 'session_not_found') return undefined;
    throw error;
  }
  const problems: string[] = [];
  const note = (error: unknown): null => {
    problems.push(toFailure(error).message);
    return null;
  };
  const hasProcesses = session.host !== null && session.agentPid !== null;
  const [timeline, load, processes] = await Promise.all([
    orNull(api.timeline(session.sessionId)),
    orNull(api.load(session.sessionId)),
    hasProcesses ? api.processes(session.sessionId).catch(note) : null,
  ]);
  return { session, timeline, load: load?.samples.at(-1) ?? null, processes, problems };
}

/** An api of the version before knows no timelines; without one the rest is still worth showing. */
async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError) return null;
    throw error;
  }
}
