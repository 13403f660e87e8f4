import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { LOG_DIR, ROOT } from './paths.mjs';
import { clearProgressLine, say, SetupError, showProgressLine } from './ui.mjs';

const PROGRESS_EVERY_MS = process.stdout.isTTY ? 1_000 : 10_000;
const TAIL_LINES = 25;

const running = new Set();

/** Ends the step that is under way, for when we are told to stop in the middle of the set-up. */
export function abortSteps(signal = 'SIGTERM') {
  for (const child of running) child.kill(signal);
}

/**
 * Runs one slow command of the set-up: its output goes to `.greenroom/logs/<log>.log`, its progress to the terminal.
 * @throws SetupError with the end of the output and `next` when it fails.
 */
export async function runStep({ title, doing, command, args, env = process.env, cwd = ROOT, log, next }) {
  mkdirSync(LOG_DIR, { recursive: true });
  const logFile = join(LOG_DIR, `${log}.log`);
  const output = createWriteStream(logFile);
  output.write(`$ ${[command, ...args].join(' ')}\n`);
  say(`• ${title}: ${doing}`);
  const progress = startProgress(title);
  const lines = [];
  const keep = (chunk) => {
    output.write(chunk);
    for (const line of chunk.split(/[\r\n]+/))
      if (line.trim()) lines.push(stripVTControlCharacters(line).trimEnd());
    if (lines.length > 1_000) lines.splice(0, lines.length - TAIL_LINES);
    progress.lastLine = lines.at(-1) ?? '';
  };
  try {
    const { code, signal } = await run(command, args, { env, cwd }, keep);
    if (code !== 0) {
      throw new SetupError(`${title}: failed (${signal ?? `exit code ${code}`})`, {
        next,
        logFile,
        tail: lines.slice(-TAIL_LINES).join('\n'),
      });
    }
    return { seconds: progress.seconds(), lines };
  } finally {
    progress.stop();
    output.end();
  }
}

function run(command, args, options, onText) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', onText);
    child.once('error', (error) => {
      running.delete(child);
      onText(`${error.message}\n`);
      resolve({ code: 127, signal: null });
    });
    child.once('close', (code, signal) => resolve({ code, signal }));
    // A daemon that a package manager started may hold the pipes open for ever: `close` would not come.
    child.once('exit', (code, signal) => {
      running.delete(child);
      setTimeout(resolve, 500, { code, signal });
    });
  });
}

function startProgress(title) {
  const startedAt = performance.now();
  const progress = {
    lastLine: '',
    seconds: () => Math.round((performance.now() - startedAt) / 1_000),
    stop: () => {
      clearInterval(timer);
      clearProgressLine();
    },
  };
  const timer = setInterval(() => {
    const text = `  ${title}: ${progress.seconds()} s  ${progress.lastLine}`;
    if (process.stdout.isTTY) showProgressLine(text);
    else say(text.slice(0, 160));
  }, PROGRESS_EVERY_MS);
  return progress;
}

/** A quick question to a program: what it printed, and its exit code (127 when it is not there). */
export function ask(command, args, { timeoutMs = 10_000, env = process.env } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk) => {
        output += chunk;
      });
    }
    child.once('error', () => resolve({ code: 127, output }));
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
