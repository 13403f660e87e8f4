import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'shell-quote';
import type { SpawnerConfig } from '../config.js';
import type { AgentLimits } from '../process/index.js';

/** Which sign of readiness a profile demands; `any` takes the first that shows. */
export type ReadinessRule = 'any' | 'pattern' | 'event' | 'room';

/** A kind of agent: how it is started and how it shows that it is ready. */
export interface Profile {
  name: string;
  description: string | undefined;
  command: string;
  args: readonly string[];
  cwd: string;
  /** What it gets besides the agent contract's own variables. */
  variables: Readonly<Record<string, string>>;
  voices: readonly { id: string; name: string }[];
  ready: ReadinessRule;
  startupTimeoutMs: number;
  /** Silence on health events after which it counts as hanging; 0 for an agent that does not promise any. */
  healthTimeoutMs: number;
  poolTarget: number;
  limits: AgentLimits;
}

const MIB = 1024 * 1024;
const REFERENCE_AGENT = fileURLToPath(new URL('../../../agent/', import.meta.url));

/** The one profile that the environment describes: AGENT_COMMAND, or the reference agent without it. */
export function readDefaultProfile(config: SpawnerConfig): Profile {
  const common = {
    name: 'default',
    variables: config.agentVariables,
    startupTimeoutMs: config.startupTimeoutMs,
    poolTarget: config.poolTarget,
    limits: {
      memoryBytes: config.agentMemoryLimitMb > 0 ? config.agentMemoryLimitMb * MIB : undefined,
      processes: config.agentProcessLimit > 0 ? config.agentProcessLimit : undefined,
    },
  };
  if (config.agentCommand === undefined) return { ...common, ...referenceAgent() };
  const [command, ...args] = splitCommandLine(config.agentCommand);
  if (command === undefined) throw new Error('AGENT_COMMAND is empty. Give the command line of your agent.');
  args.forEach((word, index) => refuseCallerTextInScript(word, args[index - 1]));
  return {
    ...common,
    description: undefined,
    command,
    args,
    cwd: path.resolve(config.agentCwd ?? '.'),
    voices: [],
    ready: 'any',
    healthTimeoutMs: config.agentHealthTimeoutMs,
  };
}

/** The reference agent says itself what it is; services do not import each other. */
function referenceAgent(): Omit<
  Profile,
  'name' | 'variables' | 'startupTimeoutMs' | 'poolTarget' | 'limits'
> {
  const { healthTimeout, ...about } = JSON.parse(
    readFileSync(path.join(REFERENCE_AGENT, 'profile.json'), 'utf8'),
  ) as {
    description: string;
    ready: ReadinessRule;
    /** Seconds. */
    healthTimeout: number;
    voices: { id: string; name: string }[];
  };
  return {
    ...about,
    healthTimeoutMs: healthTimeout * 1000,
    command: process.execPath,
    args: [path.join(REFERENCE_AGENT, 'dist/main.js')],
    cwd: REFERENCE_AGENT,
  };
}

/**
 * Splits as a shell would, quotes included, but expands nothing.
 * @throws Error for anything that only a shell could run
 */
export function splitCommandLine(line: string): string[] {
  const words = parse(line, (name: string) => `$${name}`);
  return words.map((word) => {
    if (typeof word === 'string') return word;
    if ('op' in word && word.op === 'glob') return word.pattern;
    throw new Error(
      `AGENT_COMMAND has ${JSON.stringify(word)}, which only a shell understands. Put it in a script, or write sh -c '…'.`,
    );
  });
}

/** `sh -c`, `bash -lc`, `perl -e`, `node --eval`. */
const SCRIPT_OPTIONS = /^(-[a-z]{0,2}c|-e|--eval)$/;

/**
 * Callers choose their name and voice freely. Inside a script (`sh -c`, `python -c`) that text would be run, and no
 * quoting keeps it from that; in a word of its own, or behind an option, it stays an argument.
 * @throws Error
 */
export function refuseCallerTextInScript(word: string, before?: string): void {
  if (!/\{(userName|voiceId)\}/.test(word)) return;
  const besides = word.replace(/\{(room|sessionId|userName|voiceId|mode)\}/g, '');
  // What stands behind `-c` is a script from its first letter on.
  const isScript = before !== undefined && SCRIPT_OPTIONS.test(before);
  if (!isScript && /^[\w./:=@%+,-]*$/.test(besides)) return;
  throw new Error(
    `AGENT_COMMAND has {userName} or {voiceId} inside ${JSON.stringify(word)}, where a caller's text could be run as code. ` +
      'Read "$USER_NAME" and "$VOICE_ID" from the environment there.',
  );
}

/** Fills `{room}` and the like in one word of a command line. There is none for a token, and never will be. */
export function fillPlaceholders(word: string, values: Readonly<Record<string, string>>): string {
  return word.replace(/\{(room|sessionId|userName|voiceId|mode)\}/g, (_, name: string) => values[name] ?? '');
}
