import type { AgentEvent } from '@greenroom/contracts';

/** Longest transcript, error and reason that is passed on, in characters; the rest is left away. */
const MAX_TEXT = 4000;
const MAX_REASON = 200;
const NO_TRUTH = 'active must be true or false';

/**
 * - `none`: the line is no event, just output. `unknown`: an event of a later contract, to be ignored.
 * - `invalid`: it means to be an event that we know, but is not formed like one.
 */
export type ParsedLine =
  | { kind: 'event'; event: AgentEvent /** When, by the agent's clock, in ms since 1970. */; at?: number }
  | { kind: 'none' }
  | { kind: 'unknown'; name: string }
  | { kind: 'invalid'; name: string; problem: string };

type Fields = Readonly<Record<string, unknown>>;
type Parser = (fields: Fields) => AgentEvent | string;

/** An event, or what is wrong with it. */
const parsers: Record<AgentEvent['event'], Parser> = {
  ready: () => ({ event: 'ready' }),
  agent_speaking: ({ active }) => (isTruth(active) ? { event: 'agent_speaking', active } : NO_TRUTH),
  user_speaking: ({ active }) => (isTruth(active) ? { event: 'user_speaking', active } : NO_TRUTH),
  transcript: parseTranscript,
  tool: parseTool,
  transfer: ({ active }) => (isTruth(active) ? { event: 'transfer', active } : NO_TRUTH),
  said: parseSaid,
  health: ({ status }) =>
    typeof status === 'string' ? { event: 'health', status: cut(status, MAX_REASON) } : { event: 'health' },
  error: ({ message }) =>
    typeof message === 'string'
      ? { event: 'error', message: cut(message, MAX_TEXT) }
      : 'message must be a text',
  end: ({ reason }) => parseEnd(reason),
};

/** Reads one line of an agent's output or events file. Never throws, whatever the line is. */
export function parseAgentEvent(line: string): ParsedLine {
  const fields = parseObject(line);
  const name = fields?.['event'];
  if (fields === undefined || typeof name !== 'string') return { kind: 'none' };
  if (!isKnown(name)) return { kind: 'unknown', name: cut(name, MAX_REASON) };
  const event = parsers[name](fields);
  if (typeof event === 'string') return { kind: 'invalid', name, problem: event };
  const at = fields['at'];
  return { kind: 'event', event, ...(Number.isFinite(at) && { at: at as number }) };
}

function isTruth(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

function isKnown(name: string): name is AgentEvent['event'] {
  return Object.hasOwn(parsers, name);
}

function parseObject(line: string): Fields | undefined {
  const text = line.trim();
  if (!text.startsWith('{') || !text.endsWith('}')) return undefined;
  try {
    return JSON.parse(text) as Fields;
  } catch {
    return undefined;
  }
}

function parseTranscript({ role, text, final }: Fields): AgentEvent | string {
  const speaker = parseRole(role);
  if (speaker === undefined) return 'role must be user or agent';
  if (typeof text !== 'string') return 'text must be a text';
  if (typeof final !== 'boolean' && final !== undefined) return 'final must be true or false';
  return { event: 'transcript', role: speaker, text: cut(text, MAX_TEXT), final: final ?? true };
}

/** Bots built on a language model call themselves `assistant`. */
function parseRole(role: unknown): 'user' | 'agent' | undefined {
  if (role === 'assistant') return 'agent';
  return role === 'user' || role === 'agent' ? role : undefined;
}

/** Whoever runs one tool at a time need not tell them apart. */
function parseTool({ active, id, name }: Fields): AgentEvent | string {
  if (!isTruth(active)) return NO_TRUTH;
  const label = id ?? name ?? 'tool';
  return typeof label === 'string'
    ? { event: 'tool', active, id: cut(label, MAX_REASON) }
    : 'id and name must be texts';
}

function parseSaid({ active, commandId, cut: isCut }: Fields): AgentEvent | string {
  if (!isTruth(active)) return NO_TRUTH;
  return typeof commandId === 'string' && commandId.length <= MAX_REASON
    ? { event: 'said', active, commandId, ...(isCut === true && { cut: true as const }) }
    : 'commandId must be the text that came with the message';
}

function parseEnd(reason: unknown): AgentEvent | string {
  if (reason === undefined) return { event: 'end', reason: 'agent_ended' };
  return typeof reason === 'string'
    ? { event: 'end', reason: cut(reason, MAX_REASON) }
    : 'reason must be a text';
}

/** Cuts between characters, not within one that takes two places. */
function cut(text: string, length: number): string {
  return text.length <= length ? text : text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '');
}
