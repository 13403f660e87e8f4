import { type Command, Help } from 'commander';
import { NO_NAMES } from './commands/completion.js';
import type { CommandContext } from './context.js';
import { readEnvironment } from './environment.js';
import { EXIT_MEANINGS } from './exit-codes.js';
import { makeTerminal } from './output/terminal.js';
import { buildProgram } from './program.js';

const WIDTH = 110;

/** The part of docs/cli.md that says what every command takes, as `--help` says it. */
export function renderCommands(): string {
  const program = buildProgram(bareContext(), NO_NAMES);
  return leavesOf(program)
    .map((command) => `### ${nameOf(command)}\n\n\`\`\`\n${helpOf(command)}\n\`\`\`\n`)
    .join('\n');
}

export function renderExitCodes(): string {
  const rows = Object.entries(EXIT_MEANINGS).map(([code, meaning]) => `| ${code} | ${meaning} |\n`);
  return `| code | |\n|---|---|\n${rows.join('')}`;
}

/** Those that do something, in the order in which help lists them. */
function leavesOf(command: Command): Command[] {
  return command.commands
    .filter((child) => child.name() !== 'complete')
    .flatMap((child) => [...(child.name() === 'host' ? [] : [child]), ...leavesOf(child)]);
}

function nameOf(command: Command): string {
  const parts: string[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) parts.unshift(at.name());
  return parts.join(' ');
}

function helpOf(command: Command): string {
  const help = Object.assign(new Help(), { helpWidth: WIDTH });
  return command
    .configureHelp({ helpWidth: WIDTH, sortSubcommands: false })
    .createHelp()
    .formatHelp(command, help)
    .split('\n')
    .filter((line) => !/^ +-h, --help/.test(line))
    .map((line) => line.trimEnd())
    .join('\n')
    .replace(/\nOptions:\n*$/, '')
    .trim();
}

function bareContext(): CommandContext {
  return {
    environment: readEnvironment({}),
    terminal: makeTerminal({
      stdin: process.stdin,
      stdout: process.stdout,
      stderr: process.stderr,
      wantsColour: false,
      ask: async () => '',
    }),
    interrupted: new AbortController().signal,
    version: '',
    setExitCode: () => undefined,
  };
}
