import { type ChildProcess, spawn } from 'node:child_process';
import { groupMembers } from './process-facts.js';
import { guardGroup, releaseGroup } from './reaper.js';
import { waitFor } from './wait-for.js';

export interface ProcessOptions {
  readonly command: string;
  readonly args?: readonly string[];
  /** The whole environment of the process. Default: PATH, HOME, LANG and TMPDIR of ours. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** For messages. Default: the command. */
  readonly name?: string;
  /** When it counts as started: a line of its output, a URL that answers 2xx, or a question of yours. Default: at once. */
  readonly readyWhen?:
    | { readonly line: RegExp }
    | { readonly url: string }
    | (() => boolean | Promise<boolean>);
  /** How long it may take to get ready. Default 20 000. */
  readonly timeoutMs?: number;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface StopOptions {
  readonly signal?: NodeJS.Signals;
  /** After this long the group is killed. Default 5 000. */
  readonly graceMs?: number;
}

export interface RunningProcess {
  readonly name: string;
  /** Also its process group and session. */
  readonly pid: number;
  readonly exited: Promise<ProcessExit>;
  isRunning(): boolean;
  /** stdout and stderr so far, mixed as they came. */
  readonly output: () => string;
  /** Resolves with the first line, past or future, that matches. @throws with its last output when it leaves without one */
  waitForLine(pattern: RegExp, timeoutMs?: number): Promise<string>;
  signal(signal: NodeJS.Signals): void;
  /** SIGSTOP to the whole group: the process hangs, its sockets stay open. */
  pause(): void;
  resume(): void;
  /** SIGTERM, then SIGKILL to its group at the end of the grace; resolves when the group is empty. */
  stop(options?: StopOptions): Promise<ProcessExit>;
  /** SIGKILL to the process alone, as a crash would be. Its children are left for whoever cares. */
  kill(): Promise<ProcessExit>;
}

/** The environment that a test's process starts from: nothing of a developer's settings gets through. */
export function baseEnvironment(): Record<string, string> {
  const { PATH = '/usr/bin:/bin', HOME = '/tmp', LANG, TMPDIR } = process.env;
  return { PATH, HOME, ...(LANG && { LANG }), ...(TMPDIR && { TMPDIR }) };
}

/**
 * Starts a program in a group of its own, dies with us, and waits until it is ready.
 * @throws with the end of its output when it exits first or is not ready in time.
 */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const running = launch(options);
  try {
    await untilReady(running, options);
  } catch (error) {
    await running.stop({ signal: 'SIGKILL' });
    throw new Error(`${running.name} did not start. ${lastOutputOf({ text: running.output })}`, {
      cause: error,
    });
  }
  return running;
}

function launch({
  command,
  args = [],
  env = baseEnvironment(),
  cwd,
  name = command,
}: ProcessOptions): RunningProcess {
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: definedOnly(env),
    ...(cwd !== undefined && { cwd }),
  });
  const { pid } = child;
  if (pid !== undefined) guardGroup(pid);
  const output = collectOutput(child);
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once('error', (error) => {
      output.add(`${error.message}\n`);
      resolve({ code: 127, signal: null });
    });
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  return describe(name, pid ?? 0, exited, output);
}

function describe(name: string, pid: number, exited: Promise<ProcessExit>, output: Output): RunningProcess {
  let running = pid > 0;
  void exited.then(() => {
    running = false;
  });
  const signalGroup = (signal: NodeJS.Signals) => sendSignal(-pid, signal);
  return {
    name,
    pid,
    exited,
    isRunning: () => running,
    output: output.text,
    async waitForLine(pattern, timeoutMs = 10_000) {
      const { line } = await waitFor(
        () => {
          // Asked first: all that it has printed is there by then.
          const hasLeft = output.isComplete();
          const found = linesOf(output).find((each) => pattern.test(each));
          return (found !== undefined || hasLeft) && { line: found };
        },
        { timeoutMs, what: `a line of ${name} like ${pattern}` },
      );
      if (line !== undefined) return line;
      throw new Error(
        `${name} ended with ${describeExit(await exited)} and no line like ${pattern}. ${lastOutputOf(output)}`,
      );
    },
    signal: (signal) => {
      if (running) sendSignal(pid, signal);
    },
    pause: () => signalGroup('SIGSTOP'),
    resume: () => signalGroup('SIGCONT'),
    async stop({ signal = 'SIGTERM', graceMs = 5_000 } = {}) {
      if (pid === 0) return exited;
      if (running) {
        sendSignal(pid, signal);
        signalGroup('SIGCONT');
        await Promise.race([exited, unreferencedDelay(graceMs)]);
      }
      await clearGroup(pid);
      releaseGroup(pid);
      return exited;
    },
    async kill() {
      if (running) sendSignal(pid, 'SIGKILL');
      return exited;
    },
  };
}

interface Output {
  readonly add: (text: string) => void;
  readonly text: () => string;
  /** Whether the process is gone, and all that it printed was read. */
  readonly isComplete: () => boolean;
}

function linesOf({ text }: Pick<Output, 'text'>): string[] {
  return text().split('\n');
}

function lastOutputOf({ text }: Pick<Output, 'text'>): string {
  return `Its last output:\n${text().slice(-3000)}`;
}

function describeExit({ code, signal }: ProcessExit): string {
  return signal ?? `exit code ${code}`;
}

function collectOutput(child: ChildProcess): Output {
  let text = '';
  let isComplete = false;
  const add = (chunk: string) => {
    text += chunk;
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', add);
    stream?.on('error', () => undefined);
  }
  child.once('close', () => {
    isComplete = true;
  });
  // A grandchild may hold the pipes open for ever; what is already in them is still read.
  child.once('exit', () => {
    setTimeout(() => {
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, 200).unref();
  });
  return { add, text: () => text, isComplete: () => isComplete };
}

async function untilReady(
  running: RunningProcess,
  { readyWhen, timeoutMs = 20_000 }: ProcessOptions,
): Promise<void> {
  if (running.pid === 0) throw new Error('it could not be spawned');
  if (!readyWhen) return;
  await waitFor(
    async () => {
      if (!running.isRunning()) return { left: await running.exited };
      return (await isReady(running, readyWhen)) && { left: undefined };
    },
    { timeoutMs, what: `${running.name} to be ready` },
  ).then(({ left }) => {
    if (left) throw new Error(`it ended with ${describeExit(left)}`);
  });
}

async function isReady(
  running: RunningProcess,
  readyWhen: NonNullable<ProcessOptions['readyWhen']>,
): Promise<boolean> {
  if (typeof readyWhen === 'function') return readyWhen();
  if ('line' in readyWhen) {
    return linesOf({ text: running.output }).some((line) => readyWhen.line.test(line));
  }
  const response = await fetch(readyWhen.url, { signal: AbortSignal.timeout(2_000) });
  await response.body?.cancel();
  return response.ok;
}

async function clearGroup(pgid: number): Promise<void> {
  await waitFor(
    () => {
      if (groupMembers(pgid).length === 0) return true;
      sendSignal(-pgid, 'SIGKILL');
      return false;
    },
    { what: `group ${pgid} to be empty` },
  );
}

/** A process that is already gone is no error. */
export function sendSignal(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function unreferencedDelay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
