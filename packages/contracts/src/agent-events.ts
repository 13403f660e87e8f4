/**
 * What an agent may tell us: one JSON object a line, appended to the file named in GREENROOM_EVENTS or printed on
 * stdout. Transcripts are medical and belong in GREENROOM_EVENTS only.
 */
export type AgentEvent =
  | { event: 'ready' }
  | { event: 'agent_speaking'; active: boolean }
  | { event: 'user_speaking'; active: boolean }
  | { event: 'transcript'; role: 'user' | 'agent'; text: string; final: boolean }
  | { event: 'health'; status?: string }
  | { event: 'error'; message: string }
  | { event: 'end'; reason: string };

export type AgentEventName = AgentEvent['event'];

export const AGENT_EVENT_NAMES = [
  'ready',
  'agent_speaking',
  'user_speaking',
  'transcript',
  'health',
  'error',
  'end',
] as const satisfies readonly AgentEventName[];
