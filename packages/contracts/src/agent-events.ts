/**
 * What an agent may tell us: one JSON object a line, appended to the file named in GREENROOM_EVENTS or printed on
 * stdout. Transcripts are medical and belong in GREENROOM_EVENTS only.
 */
export type AgentEvent =
  | { event: 'ready' }
  | { event: 'agent_speaking'; active: boolean }
  | { event: 'user_speaking'; active: boolean }
  | { event: 'transcript'; role: 'user' | 'agent'; text: string; final: boolean }
  /** A tool runs, or no longer does: until then silence is meant. */
  | { event: 'tool'; active: boolean; id: string }
  /** The call is being handed over to somebody else. */
  | { event: 'transfer'; active: boolean }
  /** What it was told to say: it takes it up, or is done with it, whether it was heard or not. */
  | { event: 'said'; active: boolean; commandId: string; cut?: true }
  | { event: 'health'; status?: string }
  | { event: 'error'; message: string }
  | { event: 'end'; reason: string };

export type AgentEventName = AgentEvent['event'];

export const AGENT_EVENT_NAMES = [
  'ready',
  'agent_speaking',
  'user_speaking',
  'transcript',
  'tool',
  'transfer',
  'said',
  'health',
  'error',
  'end',
] as const satisfies readonly AgentEventName[];

/** Topics of the data messages that the platform sends to the agent. The body is JSON. */
export const SAY_TOPIC = 'greenroom.say';
export const UNSAY_TOPIC = 'greenroom.unsay';

/** `announcement`: the caller is to know something, whatever the agent is about. */
export type SayPurpose = 'checkin' | 'goodbye' | 'apology' | 'announcement';

/** Body of a message of topic `greenroom.say`. It may come more than once: whoever obeys says it once. */
export interface SayMessage {
  commandId: string;
  text: string;
  purpose: SayPurpose;
}

/**
 * The `commandId` of a message. A call that was lost with Redis's data and opened again counts its commands anew, and none of
 * them is one that the agent knows.
 * @param openedAt when the call was opened
 */
export function messageId(openedAt: number, commandId: string): string {
  return `${commandId}.${openedAt}`;
}

/** Which command of its call a message was about. */
export function commandOf(id: string): string {
  return id.replace(/\.\d+$/, '');
}

/** Body of a message of topic `greenroom.unsay`: what was to be said is void, begun or not. */
export interface UnsayMessage {
  commandId: string;
}
