#!/usr/bin/env node
import process from 'node:process';
import { Command } from 'commander';

// rtc-node prints its debug lines on stdout unless it is told before it is loaded that this is no development.
process.env['NODE_ENV'] ??= 'production';
const { dispose } = await import('@livekit/rtc-node');
const { CallError, runCall } = await import('./call/run-call.js');

interface CallFlags {
  apiUrl: string;
  name?: string;
  voice?: string;
  profile?: string;
  say: string[];
  wav: string[];
  record?: string;
  json?: boolean;
}

const DEFAULT_QUESTION = 'what time is it';
const collect = (value: string, all: string[]): string[] => [...all, value];

const program = new Command('greenroom')
  .description('Voice agents, warm in the green room')
  .showHelpAfterError();

program
  .command('call')
  .description('Call an agent from the terminal: speak, hear, read along')
  .option('--name <name>', 'who is calling', process.env['USER'])
  .option('--say <text>', 'say this (again for more); default: a question about the time', collect, [])
  .option('--wav <file>', 'play this recording (again for more)', collect, [])
  .option('--record <file>', 'write what was heard as a WAV file')
  .option('--voice <id>', "the agent's voice; GET /api/profiles lists them")
  .option('--profile <name>', 'kind of agent')
  .option('--api-url <url>', 'where Greenroom is', process.env['API_URL'] ?? 'http://localhost:8080')
  .option('--json', 'one JSON object at the end instead of lines')
  .addHelpText(
    'after',
    '\nA key goes into CLIENT_API_KEY or ADMIN_TOKEN. Exit codes: 0 the call took place, 2 wrong usage, 3 the start was\nrefused, 4 the room could not be joined, 5 no agent came, 130 hung up with Ctrl-C.',
  )
  .action(async (flags: CallFlags) => {
    const hangUp = new AbortController();
    process.once('SIGINT', () => hangUp.abort());
    process.once('SIGTERM', () => hangUp.abort());
    const say = flags.say.length + flags.wav.length === 0 ? [DEFAULT_QUESTION] : flags.say;
    const report = await runCall({
      ...flags,
      say,
      name: flags.name,
      voice: flags.voice,
      profile: flags.profile,
      record: flags.record,
      apiKey: process.env['CLIENT_API_KEY'] ?? process.env['ADMIN_TOKEN'],
      hangUp: hangUp.signal,
      print: flags.json ? () => undefined : (text) => void process.stdout.write(`${text}\n`),
    });
    if (flags.json) process.stdout.write(`${JSON.stringify(report)}\n`);
    if (hangUp.signal.aborted) process.exitCode = 130;
  });

program.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = error instanceof CallError ? error.exitCode : 1;
}
await dispose();
process.exit();
