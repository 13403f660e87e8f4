import { spawn } from 'node:child_process';

export interface ProgramRun {
  readonly command: string;
  readonly args: readonly string[];
  /** Open files that the program gets as descriptor 0, 3, 4, … */
  readonly stdin?: number;
  readonly files?: readonly number[];
  readonly signal?: AbortSignal;
  /** After this long the program is killed. Default 10 000. */
  readonly timeoutMs?: number;
}

/** A paragraph is synthesized sentence by sentence, all asked for at once: two at a time are plenty. */
const MAX_AT_ONCE = 2;
let running = 0;
const waiting: (() => void)[] = [];

/**
 * Runs a short-lived speech program in our own process group and gives its stdout.
 * @throws when it can't be started, fails, takes too long or is aborted.
 */
export async function runProgram(run: ProgramRun): Promise<string> {
  await takeSlot();
  try {
    run.signal?.throwIfAborted();
    return await spawnAndCollect(run);
  } finally {
    freeSlot();
  }
}

async function spawnAndCollect(run: ProgramRun): Promise<string> {
  const { command, args, stdin, files = [], signal, timeoutMs = 10_000 } = run;
  const child = spawn(command, args, {
    stdio: [stdin ?? 'ignore', 'pipe', 'ignore', ...files],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    ...(signal && { signal }),
  });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, killedBy) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${command} ended with ${killedBy ?? `exit code ${code}`}`));
    });
  });
}

async function takeSlot(): Promise<void> {
  if (running < MAX_AT_ONCE) {
    running += 1;
    return;
  }
  await new Promise<void>((resolve) => {
    waiting.push(resolve);
  });
}

/** The slot passes straight to the next in line, so the count stays. */
function freeSlot(): void {
  const next = waiting.shift();
  if (next) next();
  else running -= 1;
}
