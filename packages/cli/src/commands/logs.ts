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
}

/** `greenroom logs ID`: what the agent printed. */
export function addLogs(program: Command, context: CommandContext): void {
  const command = program
    .command('logs')
    .description("Show what a session's agent printed, also when it is over")
    .argument('<id>', 'session, or the beginning of its id')
    .option('-f, --follow', 'stay, and show new lines until the session is over')
    .option('-n, --tail <lines>', 'how many of the last lines', wholeNumber, 100);
  withCommonOptions(command, context).action(async (typed: string, flags: LogsFlags) => {
    const api = adminApi(flags, context);
    const id = await findSessionId(api, typed);
    const { terminal } = context;
    const printLine = (line: string): void =>
      flags.json ? terminal.printJson({ sessionId: id, line }) : terminal.print(clean(line));
    if (flags.follow) return followLog(api, id, flags.tail, printLine, context);
    const { lines } = await api.logs(id, flags.tail);
    for (const line of lines) printLine(line);
  });
}

/** Until the session is over. @throws CliError where the stream broke: lines after that would be unnoticed gaps */
async function followLog(
  api: AdminApi,
  id: string,
  tail: number,
  printLine: (line: string) => void,
  { terminal, interrupted }: CommandContext,
): Promise<void> {
  const response = await api.http.open('GET', `/api/session/${encodeURIComponent(id)}/logs`, {
    query: { follow: 1, tail },
    headers: { accept: 'text/event-stream' },
    signal: interrupted,
  });
  try {
    for await (const { event, data } of readMessages(response)) {
      if (event === 'line') printLine(JSON.parse(data) as string);
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
