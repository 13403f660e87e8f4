import { Command } from 'commander';
import { addCall } from './commands/call.js';
import { addCompletion, type Names } from './commands/completion.js';
import { addDoctor } from './commands/doctor.js';
import { addDrain } from './commands/drain.js';
import { addEnd } from './commands/end.js';
import { addHosts } from './commands/hosts.js';
import { addLogs } from './commands/logs.js';
import { addPool } from './commands/pool.js';
import { addPs } from './commands/ps.js';
import { addShow } from './commands/show.js';
import type { CommandContext } from './context.js';
import { EXIT_MEANINGS } from './exit-codes.js';

/** The whole command, each of its parts one file in commands/. */
export function buildProgram(context: CommandContext, names: Names): Command {
  const program = new Command('greenroom')
    .description('Voice agents, warm in the green room')
    .version(context.version, '-V, --version', 'the version')
    .showHelpAfterError('Add --help to see how it is used.')
    .showSuggestionAfterError()
    .addHelpText('after', `\n${describeEnvironment()}\n\n${describeExitCodes()}`);
  addPs(program, context);
  addShow(program, context);
  addLogs(program, context);
  addEnd(program, context);
  addPool(program, context);
  addHosts(program, context);
  addDrain(program, context);
  addCall(program, context);
  addDoctor(program, context);
  addCompletion(program, names);
  return program;
}

function describeEnvironment(): string {
  return [
    'Environment:',
    '  API_URL         where Greenroom is, as --api-url; npm run greenroom finds that of npm start by itself',
    '  ADMIN_TOKEN     opens everything here but call; never an argument, which others on the machine could read',
    '  CLIENT_API_KEY  opens call, where clients need a key',
    '  NO_COLOR        no colours, also on a terminal',
  ].join('\n');
}

function describeExitCodes(): string {
  const lines = Object.entries(EXIT_MEANINGS).map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`);
  return ['Exit codes:', ...lines].join('\n');
}
