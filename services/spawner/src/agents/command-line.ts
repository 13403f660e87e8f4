import { parse } from 'shell-quote';

/**
 * The words of a command line, checked. Every problem is a sentence that goes on from the name of the setting.
 * @throws Error for anything that only a shell could run, and where a caller's text could be run as code
 */
export function parseCommand(written: string | readonly string[]): { command: string; args: string[] } {
  const [command, ...args] = typeof written === 'string' ? splitCommandLine(written) : written;
  if (!command) throw new Error('is empty. Give the command line of your agent.');
  args.forEach((word, index) => refuseCallerTextInScript(word, args[index - 1]));
  return { command, args };
}

/** What is quoted, or escaped outside of quotes. */
const CLOSED = /\\.|'[^']*'|"(?:\\.|[^"\\])*"/gs;

/**
 * Splits as a shell would, quotes included, but expands nothing.
 * @throws Error for anything that only a shell could run
 */
export function splitCommandLine(line: string): string[] {
  if (/['"]/.test(line.replaceAll(CLOSED, ''))) throw new Error('has a quote that is never closed.');
  const words = parse(line, (name: string) => `$${name}`);
  return words.map((word) => {
    if (typeof word === 'string') return word;
    if ('op' in word && word.op === 'glob') return word.pattern;
    throw new Error(
      `has ${JSON.stringify(word)}, which only a shell understands. Put it in a script, or write sh -c '…'.`,
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
function refuseCallerTextInScript(word: string, before?: string): void {
  if (!/\{(userName|voiceId)\}/.test(word)) return;
  const besides = word.replace(/\{(room|sessionId|userName|voiceId|mode)\}/g, '');
  // What stands behind `-c` is a script from its first letter on.
  const isScript = before !== undefined && SCRIPT_OPTIONS.test(before);
  if (!isScript && /^[\w./:=@%+,-]*$/.test(besides)) return;
  throw new Error(
    `has {userName} or {voiceId} inside ${JSON.stringify(word)}, where a caller's text could be run as code. ` +
      'Read "$USER_NAME" and "$VOICE_ID" from the environment there.',
  );
}

/** Fills `{room}` and the like in one word of a command line. There is none for a token, and never will be. */
export function fillPlaceholders(word: string, values: Readonly<Record<string, string>>): string {
  return word.replace(/\{(room|sessionId|userName|voiceId|mode)\}/g, (_, name: string) => values[name] ?? '');
}
