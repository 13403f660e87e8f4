import { MAX_REMEMBERED } from './bounds.js';

/** Things with an id that begin and end: playbacks, or pieces of work. */
export interface Ongoing {
  open: Record<string, { from: number; commandId?: string }>;
  /** When the latest ended, by id: so that a start that comes after its end opens nothing. */
  ended: Record<string, number>;
  /** The latest start and end of those that no command of ours asked for. */
  startedAt: number;
  endedAt: number;
  /** The latest end of those that a command of ours asked for. */
  commandEndedAt: number;
}

export const NOTHING_ONGOING: Ongoing = { open: {}, ended: {}, startedAt: 0, endedAt: 0, commandEndedAt: 0 };

interface Edge {
  id: string;
  at: number;
  commandId?: string;
}

export function noteStart(things: Ongoing, { id, at, commandId }: Edge): Ongoing {
  const startedAt = commandId === undefined ? Math.max(things.startedAt, at) : things.startedAt;
  if (has(things.ended, id)) return { ...things, startedAt };
  const from = Math.max(things.open[id]?.from ?? 0, at);
  const open = { ...things.open, [id]: { from, ...(commandId !== undefined && { commandId }) } };
  return { ...things, startedAt, open: newest(open, (thing) => thing.from) };
}

export function noteEnd(things: Ongoing, { id, at, commandId }: Edge): Ongoing {
  if (has(things.ended, id)) return things;
  const { [id]: opened, ...open } = things.open;
  const ended = newest({ ...things.ended, [id]: at }, (endedAt) => endedAt);
  return (commandId ?? opened?.commandId) === undefined
    ? { ...things, open, ended, endedAt: Math.max(things.endedAt, at) }
    : { ...things, open, ended, commandEndedAt: Math.max(things.commandEndedAt, at) };
}

/** What runs and began after `since`. */
export function openSince(things: Ongoing, since: number): { from: number; commandId?: string }[] {
  return Object.values(things.open).filter(({ from }) => from > since);
}

export function lastEnd(things: Ongoing): number {
  return Math.max(things.endedAt, things.commandEndedAt);
}

function has(things: object, id: string): boolean {
  return Object.hasOwn(things, id);
}

function newest<T>(things: Record<string, T>, timeOf: (thing: T) => number): Record<string, T> {
  const entries = Object.entries(things);
  if (entries.length <= MAX_REMEMBERED) return things;
  return Object.fromEntries(entries.sort(([, a], [, b]) => timeOf(b) - timeOf(a)).slice(0, MAX_REMEMBERED));
}
