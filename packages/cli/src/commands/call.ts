import process from 'node:process';
import type { Command } from 'commander';
import { type CommandContext, type CommonFlags, openHttp, withCommonOptions } from '../context.js';
import { EXIT } from '../exit-codes.js';

interface CallFlags extends CommonFlags {
  name?: string;
  voice?: string;
  profile?: string;
  say?: string[];
  wav?: string[];
  record?: string;
}

const DEFAULT_QUESTION = 'what time is it';
const collect = (value: string, all: string[] = []): string[] => [...all, value];

/** `greenroom call`: a caller in the terminal. */
export function addCall(program: Command, context: CommandContext): void {
  const { environment, terminal, interrupted, setExitCode } = context;
  const command = program
    .command('call')
    .description('Call an agent from the terminal: speak, hear, read along')
    .option('--name <name>', 'who is calling (default: your user name)')
    .option('--say <text>', 'say this (again for more); default: a question about the time', collect)
    .option('--wav <file>', 'play this recording (again for more)', collect)
    .option('--record <file>', 'write what was heard as a WAV file')
    .option('--voice <id>', "the agent's voice; GET /api/profiles lists them")
    .option('-p, --profile <name>', 'kind of agent')
    .addHelpText(
      'after',
      '\nA key goes into CLIENT_API_KEY or ADMIN_TOKEN. The session is ended with the call.',
    );
  withCommonOptions(command, context).action(async (flags: CallFlags) => {
    const { runCall, dispose } = await loadCalls();
    try {
      const report = await runCall({
        api: openHttp(flags.apiUrl, undefined),
        startApi: openHttp(flags.apiUrl, environment.callKey),
        name: flags.name ?? environment.userName,
        voice: flags.voice,
        profile: flags.profile,
        say: flags.say ?? (flags.wav === undefined ? [DEFAULT_QUESTION] : []),
        wav: flags.wav ?? [],
        record: flags.record,
        hangUp: interrupted,
        print: flags.json ? () => undefined : (text) => terminal.print(text),
      });
      if (flags.json) terminal.printJson(report);
      if (interrupted.aborted) setExitCode(EXIT.interrupted);
    } finally {
      await dispose();
    }
  });
}

/** Only when somebody calls: the WebRTC library is large, and prints its debug lines unless it is told that this is production. */
async function loadCalls() {
  process.env['NODE_ENV'] ??= 'production';
  const { dispose } = await import('@livekit/rtc-node');
  const { runCall } = await import('../call/run-call.js');
  return { runCall, dispose };
}
