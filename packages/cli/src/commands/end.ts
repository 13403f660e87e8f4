import type { EndSessionsRequest, SessionFilter } from '@greenroom/contracts';
import { SESSION_STATES } from '@greenroom/contracts';
import { type Command, Option } from 'commander';
import type { AdminApi } from '../api/admin-api.js';
import { findSessionId } from '../api/find-session.js';
import { CliError } from '../cli-error.js';
import { adminApi, type CommandContext, type CommonFlags, withCommonOptions } from '../context.js';
import { EXIT } from '../exit-codes.js';
import { clean } from '../output/clean.js';
import { toFailure } from '../output/describe-error.js';
import { countOf } from '../output/units.js';
import { duration } from './arguments.js';

interface EndFlags extends CommonFlags {
  reason?: string;
  now?: true;
  all?: true;
  status?: SessionFilter['status'];
  profile?: string;
  host?: string;
  user?: string;
  olderThan?: number;
  yes?: true;
  dryRun?: true;
}

/** `greenroom end`: some sessions by id, or all that match. */
export function addEnd(program: Command, context: CommandContext): void {
  const command = program
    .command('end')
    .description('End sessions: those named, or all that match the options, after asking')
    .argument('[id...]', 'sessions, or the beginnings of their ids')
    .option('-r, --reason <text>', 'why; it is kept in the history')
    .option('--now', 'at once: their processes get no time to leave')
    .option('--all', 'every session there is, warm agents included')
    .addOption(
      new Option('-s, --status <state>', 'all in this state').choices(
        SESSION_STATES.filter((state) => state !== 'gone'),
      ),
    )
    .option('-p, --profile <name>', 'all of this kind of agent')
    .option('--host <name>', 'all on this host')
    .option('-u, --user <id>', 'all of this user')
    .option('--older-than <time>', 'all that have lasted longer: 90s, 10m, 1h30m, 2d', duration)
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'only say how many would be ended');
  withCommonOptions(command, context).action(async (typed: string[], flags: EndFlags) => {
    const api = adminApi(flags, context);
    const filter = filterOf(flags);
    if (typed.length === 0) return endMatching(api, filter, flags, context);
    if (filter !== undefined || flags.all) {
      throw usage('Name sessions, or say which ones by options; not both.');
    }
    return endNamed(api, typed, flags, context);
  });
}

/** Each by itself: one that cannot be ended keeps none of the others. */
async function endNamed(
  api: AdminApi,
  typed: readonly string[],
  { reason, now, json, dryRun }: EndFlags,
  { terminal, setExitCode }: CommandContext,
): Promise<void> {
  if (dryRun) throw usage('--dry-run counts what options match; name no sessions with it.');
  // All first: a wrong one among them ends nothing.
  const ids: string[] = [];
  for (const text of new Set(typed)) ids.push(await findSessionId(api, text));
  const ended: { sessionId: string; status: string }[] = [];
  const failed: { sessionId: string; code: string; message: string }[] = [];
  for (const sessionId of new Set(ids)) {
    try {
      const body = { sessionId, ...(reason && { reason }), ...(now && { immediately: true }) };
      ended.push({ sessionId, status: (await api.end(body)).status });
      if (!json) terminal.print(`${sessionId} is ending`);
    } catch (error) {
      const { code, message, exitCode, next } = toFailure(error);
      failed.push({ sessionId, code, message });
      setExitCode(exitCode);
      if (!json)
        terminal.complain(
          `${terminal.paint('red', '✗')} ${sessionId}: ${clean(message)} (${code})`,
          ...(next ? [`  ${next}`] : []),
        );
    }
  }
  if (json) terminal.printJson({ ended, failed });
}

async function endMatching(
  api: AdminApi,
  filter: SessionFilter | undefined,
  { all, reason, now, yes, dryRun, json }: EndFlags,
  { terminal, setExitCode }: CommandContext,
): Promise<void> {
  if (filter === undefined && !all) {
    throw usage(
      'Nothing says which sessions to end: name some, or give --all, --profile, --host, --user, --status or --older-than.',
    );
  }
  const request: EndSessionsRequest = filter === undefined ? { all: true } : { filter };
  const { matched } = await api.endMany({ ...request, dryRun: true });
  if (dryRun || matched === 0) {
    if (json) terminal.printJson({ matched, asked: 0, dryRun: dryRun ?? false });
    else
      terminal.print(
        matched === 0 ? 'No session like that.' : `${countOf(matched, 'session')} would be ended.`,
      );
    return;
  }
  if (!yes && !(await terminal.confirm(`End ${countOf(matched, 'session')}${now ? ' at once' : ''}?`))) {
    setExitCode(EXIT.failed);
    return terminal.complain('Nothing was ended.');
  }
  const answer = await api.endMany({
    ...request,
    ...(reason && { reason }),
    ...(now && { immediately: true }),
  });
  if (json) terminal.printJson({ matched: answer.matched, asked: answer.asked, dryRun: false });
  else terminal.print(`${countOf(answer.asked, 'session')} ${answer.asked === 1 ? 'is' : 'are'} ending`);
  if (answer.asked < answer.matched) setExitCode(EXIT.failed);
}

function filterOf({ status, profile, host, user, olderThan }: EndFlags): SessionFilter | undefined {
  const filter: SessionFilter = {
    ...(status && { status }),
    ...(profile && { profile }),
    ...(host && { host }),
    ...(user && { userId: user }),
    ...(olderThan !== undefined && { olderThanMs: olderThan }),
  };
  return Object.keys(filter).length === 0 ? undefined : filter;
}

function usage(message: string): CliError {
  return new CliError(message, { exitCode: EXIT.usage, next: 'greenroom end --help shows how.' });
}
