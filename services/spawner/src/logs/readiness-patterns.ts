import { toPlainText } from './served-line.js';

/** What an agent waits for: nobody yet, or a caller. */
export type AgentMode = 'prewarm' | 'user';

/** Texts or expressions, one set a mode. */
export type ReadinessPatterns = Readonly<Record<AgentMode, readonly (string | RegExp)[]>>;

/** What well-known bots print once they can take a call. */
export const DEFAULT_READINESS_PATTERNS: ReadinessPatterns = {
  prewarm: [
    'Inworld TTS service initialized',
    'Pipeline#0::Source',
    'LiveKit transport created',
    'Pipeline started',
  ],
  user: ['Connected to', 'Room joined', 'Participant joined'],
};

/** Tells whether a line says that the agent is ready. */
export type ReadinessMatcher = (line: string) => boolean;

/**
 * A matcher for one mode only: nobody has joined a warm agent yet, so a caller's patterns say nothing about it, and a
 * loaded pipeline says nothing about a room. A text must stand in the line as it is, capitals included, and begin where
 * a word begins: `Connecting to` and `DisConnected to` are not `Connected to`.
 */
export function createReadinessMatcher(
  mode: AgentMode,
  patterns: ReadinessPatterns = DEFAULT_READINESS_PATTERNS,
): ReadinessMatcher {
  const expressions = patterns[mode].map(toExpression);
  return (line) => {
    const text = toPlainText(line);
    return expressions.some((it) => it.test(text));
  };
}

/**
 * Reads the patterns of a profile: `/…/` with optional flags is an expression, anything else a text.
 *
 * @throws SyntaxError for a broken expression
 */
export function parseReadinessPattern(pattern: string): string | RegExp {
  const match = /^\/(.+)\/([imsu]*)$/.exec(pattern);
  return match === null ? pattern : new RegExp(match[1] as string, match[2]);
}

function toExpression(pattern: string | RegExp): RegExp {
  // A flag that makes an expression remember its place would make every other line fail.
  if (pattern instanceof RegExp) return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
  const escaped = pattern.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  return new RegExp(`(?<![\\p{L}\\p{N}_])${escaped.replaceAll('\\-', '\\x2d')}`, 'u');
}
