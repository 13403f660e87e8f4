#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { createInterface } from 'node:readline/promises';
import { NO_NAMES, readNames } from './commands/completion.js';
import type { CommandContext } from './context.js';
import { readEnvironment } from './environment.js';
import { EXIT } from './exit-codes.js';
import { printFailure, toFailure } from './output/describe-error.js';
import { makeTerminal } from './output/terminal.js';
import { buildProgram } from './program.js';

/** npm hands Ctrl-C on to us, after the terminal has already given it to us: signals that follow one another are one press. */
const SAME_PRESS_MS = 800;

const environment = readEnvironment(process.env);
const terminal = makeTerminal({
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  wantsColour: environment.wantsColour,
  ask,
});
const interrupted = new AbortController();
const context: CommandContext = {
  environment,
  terminal,
  interrupted: interrupted.signal,
  version: readVersion(),
  setExitCode: (code) => {
    process.exitCode = code;
  },
};

for (const signal of ['SIGINT', 'SIGTERM'] as const) listenFor(signal);
// `greenroom ps | head`: whoever read us has enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.failed),
);

try {
  const isCompleting = process.argv[2] === 'complete';
  const program = buildProgram(context, isCompleting ? await readNames(context) : NO_NAMES);
  for (const command of [
    program,
    ...program.commands,
    ...program.commands.flatMap(({ commands }) => commands),
  ]) {
    command.exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.done : EXIT.usage));
  }
  await program.parseAsync();
} catch (error) {
  if (interrupted.signal.aborted) {
    process.exitCode = EXIT.interrupted;
  } else {
    const failure = toFailure(error);
    printFailure(terminal, failure, process.argv.includes('--json'));
    process.exitCode = failure.exitCode;
  }
}
process.stdout.write('', () => process.exit());

/**
 * Who presses it again, and cannot wait for the way out, leaves at once. One listener stays for good: while there is none,
 * also between one and the next, a signal kills without a word.
 */
function listenFor(signal: NodeJS.Signals): void {
  let previousMs = Number.NEGATIVE_INFINITY;
  process.on(signal, () => {
    const isSamePress = performance.now() - previousMs < SAME_PRESS_MS;
    if (interrupted.signal.aborted && !isSamePress) process.exit(EXIT.interrupted);
    interrupted.abort();
    previousMs = performance.now();
  });
}

async function ask(question: string): Promise<string> {
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await reader.question(question, { signal: interrupted.signal });
  } finally {
    reader.close();
  }
}

function readVersion(): string {
  const file = new URL('../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
