import { shortPath } from './paths.mjs';

/** Something a person has to see to. `next` is the step to take; `logFile` has the whole story, `tail` its end. */
export class SetupError extends Error {
  constructor(message, { next, logFile, tail, exitCode = 1 } = {}) {
    super(message);
    this.name = 'SetupError';
    this.next = next;
    this.logFile = logFile;
    this.tail = tail;
    this.exitCode = exitCode;
  }
}

// The terminal may be gone before we are (its window was closed): that must not keep us from ending what we started.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

export function say(text = '') {
  clearProgressLine();
  process.stdout.write(`${text}\n`);
}

/** One line that overwrites itself, on a terminal only. */
export function showProgressLine(text) {
  const width = (process.stdout.columns ?? 80) - 1;
  process.stdout.write(`\r\x1b[2K${text.length > width ? `${text.slice(0, width - 1)}…` : text}`);
  progressShown = true;
}

let progressShown = false;

export function clearProgressLine() {
  if (!progressShown) return;
  process.stdout.write('\r\x1b[2K');
  progressShown = false;
}

export function describeError(error) {
  if (!(error instanceof SetupError)) return `✗ ${error?.stack ?? error}`;
  return [
    ...(error.tail ? [indent(error.tail)] : []),
    `✗ ${error.message}`,
    ...(error.logFile ? [`  The whole output: ${shortPath(error.logFile)}`] : []),
    ...(error.next ? [`  What to do: ${error.next}`] : []),
  ].join('\n');
}

export function indent(text, by = '    ') {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => by + line)
    .join('\n');
}
