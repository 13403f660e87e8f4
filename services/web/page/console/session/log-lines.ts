export const LEVELS = ['error', 'warn', 'info', 'other'] as const;
export type Level = (typeof LEVELS)[number];

const JSON_LEVEL = /"(?:level|levelname|severity)"\s*:\s*"?(\w+)/i;
/** At the beginning of a line, after a time and a bracket perhaps. */
const WORD_LEVEL =
  /^[^A-Za-z]{0,40}\[?\s*(trace|debug|info|notice|warn|warning|error|err|fatal|critical|panic|exception)\b/i;
const PYTHON = /^(Traceback \(most recent call last\)|\w*(Error|Exception)\b)/;
const NUMBERS: Readonly<Record<string, Level>> = { '60': 'error', '50': 'error', '40': 'warn', '30': 'info' };

/** How grave a line is. Agents print as they like, so this is a guess: by a level in JSON, else by a word at its beginning. */
export function guessLevel(line: string): Level {
  const word = (JSON_LEVEL.exec(line)?.[1] ?? WORD_LEVEL.exec(line)?.[1] ?? '').toLowerCase();
  if (word === '') return PYTHON.test(line) ? 'error' : 'other';
  if (word in NUMBERS) return NUMBERS[word] ?? 'other';
  if (/^(error|err|fatal|critical|panic|exception)$/.test(word)) return 'error';
  if (word.startsWith('warn')) return 'warn';
  return /^(info|notice)$/.test(word) ? 'info' : 'other';
}

/** A line cut where the search finds something: every second part is a find. Case does not matter. */
export function splitByFinds(line: string, search: string): string[] {
  if (search === '') return [line];
  const parts: string[] = [];
  const lower = line.toLowerCase();
  const wanted = search.toLowerCase();
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    parts.push(line.slice(from, at), line.slice(at, at + wanted.length));
    from = at + wanted.length;
  }
  return [...parts, line.slice(from)];
}
