import { AGENT_EVENT_NAMES } from '@greenroom/contracts';
import { asList } from './script-runner.js';
import type { EpochMs } from './types.js';

/** One entry of an event stream. Its id begins with the time, milliseconds since 1970. */
export interface StreamEntry {
  readonly id: string;
  /** A step of the session or an event of its agent; in the stream of all: `session`, `pool` or `host`. */
  readonly type: string;
  /** Some events of agents are named as steps are. */
  readonly isAgents: boolean;
  /** Of the session, after the step. */
  readonly status: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const ENTRY_ID = /^(\d{1,15})-(\d{1,15})$/;

/** Whether this has the form of an entry's id. */
export function isStreamEntryId(text: string): boolean {
  return ENTRY_ID.test(text);
}

/** Whether the entry with the first id stands before the other in its stream. */
export function isEarlierEntry(id: string, other: string): boolean {
  const [, ms = 0, serial = 0] = ENTRY_ID.exec(id) ?? [];
  const [, otherMs = 0, otherSerial = 0] = ENTRY_ID.exec(other) ?? [];
  return ms === otherMs ? Number(serial) < Number(otherSerial) : Number(ms) < Number(otherMs);
}

/** When it was appended, by the clock of Redis. */
export function timeOfEntry(id: string): EpochMs {
  return Number.parseInt(id, 10);
}

export interface RawEntry {
  id: string;
  type: string;
  status?: string;
  source?: string;
  data?: string;
}

export function parseEntry({ id, type, status = '', source, data: json }: RawEntry): StreamEntry {
  const data = parseData(json);
  const isAgents = source === 'agent' || (status === '' && isEarlierAgentEvent(type, data));
  return { id, type, isAgents, status, data };
}

/** As the version before this one writes them: without a status or a source. */
function isEarlierAgentEvent(type: string, data: Record<string, unknown>): boolean {
  if (type === 'ready') return Object.keys(data).length === 0;
  if (type === 'error') return 'message' in data;
  return (AGENT_EVENT_NAMES as readonly string[]).includes(type) || type === 'over_limit';
}

/** As XRANGE gives them: an id, and names and values in one list. */
export function parseEntries(raw: unknown): StreamEntry[] {
  return asList<[string, string[]]>(raw).map(([id, flat]) => {
    const fields: Record<string, string> = {};
    for (let i = 0; i + 1 < flat.length; i += 2) fields[flat[i] ?? ''] = flat[i + 1] ?? '';
    return parseEntry({ id, type: '', ...fields });
  });
}

function parseData(json: string | undefined): Record<string, unknown> {
  try {
    const data: unknown = JSON.parse(json ?? '{}');
    return typeof data === 'object' && data !== null && !Array.isArray(data)
      ? (data as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}
