import { readFileSync, readdirSync } from 'node:fs';
import { LEGAL_TRANSITIONS } from '@greenroom/contracts';

const COMMANDS = new URL('../commands/', import.meta.url);
const INCLUDE = /^-- @include (\S+)$/gm;
const FLAGS = /^-- @flags (.+)$/m;

/** Name of a file in `commands/`, without its ending. */
export type CommandName =
  | 'admit'
  | 'append-agent-output'
  | 'ask-in-line'
  | 'change-call'
  | 'claim-launch'
  | 'clear-doomed-room'
  | 'clear-forgotten'
  | 'clear-kill-order'
  | 'close-call'
  | 'commit-launch'
  | 'confirm-command'
  | 'declare-host-lost'
  | 'drain-host'
  | 'end-matching'
  | 'end-unclaimed'
  | 'fail-launch'
  | 'finish-end'
  | 'forget-user'
  | 'hang-up-call'
  | 'heartbeat'
  | 'list-history'
  | 'list-hosts'
  | 'list-profiles'
  | 'list-sessions'
  | 'mark-ready'
  | 'move-session'
  | 'note-listener'
  | 'note-presence'
  | 'open-call'
  | 'plan-refill'
  | 'publish-launch'
  | 'raise-alarm'
  | 'find-stale-readers'
  | 'read-all-events'
  | 'read-call'
  | 'read-events'
  | 'read-health'
  | 'read-line'
  | 'read-older-events'
  | 'read-recent-lines'
  | 'read-session'
  | 'read-timeline'
  | 'read-stats'
  | 'register-host'
  | 'remove-host'
  | 'renew-session'
  | 'replace-room'
  | 'request-end'
  | 'request-restart'
  | 'resolve-quarantine'
  | 'restart-launch'
  | 'retry-commands'
  | 'set-pool-policy'
  | 'set-scheduled-size'
  | 'start-session'
  | 'sweep-indexes'
  | 'take-due-calls'
  | 'wake-owner';

/** Every command file, by name. */
export function commandNames(): CommandName[] {
  return readdirSync(COMMANDS)
    .filter((file) => file.endsWith('.lua'))
    .map((file) => file.slice(0, -'.lua'.length) as CommandName);
}

/**
 * The full text that Redis gets: flags, the table of legal transitions, includes, body.
 * @param traced each step also appends what it has changed to the stream `trace`, for tests
 */
export function loadScript(name: CommandName, traced = false): string {
  const body = readFileSync(new URL(`${name}.lua`, COMMANDS), 'utf8');
  const flags = FLAGS.exec(body)?.[1];
  return [
    flags === undefined ? '#!lua' : `#!lua flags=${flags}`,
    traced ? `${readInclude('trace')}\nlocal STEP = '${name}'` : 'local TRACE, STEP',
    legalTransitionsInLua(),
    withIncludes(body),
  ].join('\n');
}

/** Includes may have includes; each comes once, before what first needs it. */
function withIncludes(text: string, known = new Set<string>()): string {
  return text.replace(INCLUDE, (_, file: string) => {
    if (known.has(file)) return '';
    known.add(file);
    return withIncludes(readInclude(file), known);
  });
}

function readInclude(file: string): string {
  return readFileSync(new URL(`includes/${file}.lua`, COMMANDS), 'utf8');
}

function legalTransitionsInLua(): string {
  const rows = Object.entries(LEGAL_TRANSITIONS).map(
    ([from, targets]) => `${from} = { ${targets.map((to) => `${to} = true`).join(', ')} }`,
  );
  return `local LEGAL = { ${rows.join(', ')} }`;
}
