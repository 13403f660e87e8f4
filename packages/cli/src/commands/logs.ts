import type { Command } from 'commander';
import type { AdminApi } from '../api/admin-api.js';
import { readMessages } from '../api/event-stream.js';
import { findSessionId } from '../api/find-session.js';
import { CliError } from '../cli-error.js';
import { adminApi, type CommandContext, type CommonFlags, withCommonOptions } from '../context.js';
import { EXIT } from '../exit-codes.js';
import { clean } from '../output/clean.js';
import { wholeNumber } from './arguments.js';

interface LogsFlags extends CommonFlags {
  follow?: true;
  tail: number;
  times?: true;
}

/** @param at when it was printed; undefined where the api does not know, or is of an older version */
type PrintLine = (line: string, at: string | null | undefined) => void;

/** `greenroom logs ID`: what the agent printed. */
export function addLogs(program: Command, context: CommandContext): void {
  const command = program
    .command('logs')
    .description("Show what a session's agent printed, also when it is over")
    .argument('<id>', 'session, or the beginning of its id')
    .option('-f, --follow', 'stay, and show new lines until the session is over')
    .option('-n, --tail <lines>', 'how many of the last lines', wholeNumber, 100)
    .option('-t, --times', 'show when each line was printed');
  withCommonOptions(command, context).action(async (typed: string, flags: LogsFlags) => {
    const api = adminApi(flags, context);
    const id = await findSessionId(api, typed);
    const { terminal } = context;
    const printLine: PrintLine = (line, at = null) => {
      if (flags.json) terminal.printJson({ sessionId: id, line, ...(flags.times && { at }) });
      else terminal.print(flags.times ? `${(at ?? '').padEnd(TIME_WIDTH)} ${clean(line)}` : clean(line));
    };
    if (flags.follow) return followLog(api, id, flags.tail, printLine, context);
    const { lines, times } = await api.logs(id, flags.tail);
    for (const [index, line] of lines.entries()) printLine(line, times?.[index]);
  });
}

const TIME_WIDTH = '2026-11-22T10:00:00.000Z'.length;

/** Until the session is over. @throws CliError where the stream broke: lines after that would be unnoticed gaps */
async function followLog(
  api: AdminApi,
  id: string,
  tail: number,
  printLine: PrintLine,
  { terminal, interrupted }: CommandContext,
): Promise<void> {
  const response = await api.http.open('GET', `/api/session/${encodeURIComponent(id)}/logs`, {
    query: { follow: 1, tail },
    headers: { accept: 'text/event-stream' },
    signal: interrupted,
  });
  let at: string | null | undefined;
  try {
    for await (const { event, data } of readMessages(response)) {
      if (event === 'at') at = JSON.parse(data) as string | null;
      if (event === 'line') printLine(JSON.parse(data) as string, at);
      if (event === 'end') {
        if (terminal.isTerminal) terminal.complain(terminal.paint('dim', 'The log has ended.'));
        return;
      }
    }
  } catch (error) {
    if (interrupted.aborted) throw error;
  }
  throw new CliError('The log was cut off; the session may go on.', {
    exitCode: EXIT.refused,
    next: `Follow it again: greenroom logs -f ${id}`,
  });
}
