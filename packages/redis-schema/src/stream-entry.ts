import { asList } from './script-runner.js';
import type { EpochMs } from './types.js';

/** One entry of an event stream. Its id begins with the time, milliseconds since 1970. */
export interface StreamEntry {
  readonly id: string;
  /** A step of the session or an event of its agent; in the stream of all: `session`, `pool` or `host`. */
  readonly type: string;
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
  data?: string;
}

export function parseEntry({ id, type, status = '', data }: RawEntry): StreamEntry {
  return { id, type, status, data: parseData(data) };
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
