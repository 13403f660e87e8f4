import { SESSION_STATES } from '@greenroom/contracts';
import { type Command, Option } from 'commander';
import type { AdminApi, SessionFilter } from '../api/admin-api.js';
import { shortIds } from '../api/find-session.js';
import { adminApi, type CommandContext, type CommonFlags, withCommonOptions } from '../context.js';
import { endedColumns, liveColumns } from '../output/session-columns.js';
import { renderTable } from '../output/table.js';
import { watchSessions } from '../watch/watch-sessions.js';
import { positiveInteger } from './arguments.js';

interface PsFlags extends CommonFlags {
  status?: string;
  profile?: string;
  host?: string;
  user?: string;
  history?: true;
  limit: number;
  watch?: true;
  quiet?: true;
  full?: true;
}

/** `greenroom ps`: the sessions. */
export function addPs(program: Command, context: CommandContext): void {
  const command = program
    .command('ps')
    .description('List the sessions that live, warm agents included')
    .addOption(
      new Option('-s, --status <state>', 'only those in this state').choices(
        SESSION_STATES.filter((state) => state !== 'gone'),
      ),
    )
    .option('-p, --profile <name>', 'only those of this kind of agent')
    .option('--host <name>', 'only those on this host')
    .option('-u, --user <id>', 'only those of this user')
    .addOption(
      new Option('--history', 'those that are over instead, the last ones first').conflicts([
        'watch',
        'status',
      ]),
    )
    .option('-n, --limit <count>', 'at most so many of those that are over', positiveInteger, 50)
    .addOption(new Option('-w, --watch', 'stay, and show what changes as it happens').conflicts('quiet'))
    .option('-q, --quiet', 'only the ids, one on each line')
    .option('--full', 'whole ids (as without a terminal)');
  withCommonOptions(command, context).action(async (flags: PsFlags) => {
    const api = adminApi(flags, context);
    const { status, profile, host, user: userId } = flags;
    const filter: SessionFilter = { status, profile, host, userId };
    if (flags.watch) return watchSessions(api, filter, { asJson: flags.json ?? false, context });
    return flags.history
      ? printHistory(api, { profile, host, userId }, flags, context)
      : printLive(api, filter, flags, context);
  });
}

async function printLive(
  api: AdminApi,
  filter: SessionFilter,
  flags: PsFlags,
  { terminal }: CommandContext,
): Promise<void> {
  const sessions = await api.liveSessions(filter);
  if (flags.json) return terminal.printJson({ sessions });
  if (flags.quiet) return terminal.write(sessions.map(({ sessionId }) => `${sessionId}\n`).join(''));
  if (sessions.length === 0) return terminal.print(hasAny(filter) ? 'No session like that.' : 'No sessions.');
  const idOf = idWriter(sessions, flags, terminal.isTerminal);
  const columns = liveColumns(terminal.paint, idOf);
  terminal.print(...renderTable(columns, sessions, terminal.width, (text) => terminal.paint('bold', text)));
}

async function printHistory(
  api: AdminApi,
  filter: Omit<SessionFilter, 'status'>,
  flags: PsFlags,
  { terminal }: CommandContext,
): Promise<void> {
  const sessions = await api.endedSessions(filter, flags.limit);
  if (flags.json) return terminal.printJson({ sessions });
  if (flags.quiet) return terminal.write(sessions.map(({ sessionId }) => `${sessionId}\n`).join(''));
  if (sessions.length === 0) return terminal.print('No session that is over.');
  const columns = endedColumns(terminal.paint, idWriter(sessions, flags, terminal.isTerminal));
  terminal.print(...renderTable(columns, sessions, terminal.width, (text) => terminal.paint('bold', text)));
}

/** On a terminal ids are as short as they may be typed; for everything else they are whole. */
function idWriter(
  sessions: readonly { sessionId: string }[],
  { full }: PsFlags,
  isTerminal: boolean,
): (id: string) => string {
  if (full || !isTerminal) return (id) => id;
  const short = shortIds(sessions.map(({ sessionId }) => sessionId));
  return (id) => short.get(id) ?? id;
}

function hasAny(filter: SessionFilter): boolean {
  return Object.values(filter).some((value) => value !== undefined);
}
