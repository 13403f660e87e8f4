import { MAX_REMEMBERED } from './bounds.js';

/** Work that runs while an agent is on its way into a call: nobody can ask or answer before it is there. */
export const AGENT_STARTING = 'agent_starting';
/** Work that runs while nobody hears what goes on in a call: its silence is unknown. */
export const ROOM_UNHEARD = 'room_unheard';

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

/** A start that lies after the end of its like is another one: a file is played twice, spoken text has no id of its own. */
export function noteStart(things: Ongoing, edge: Edge): Ongoing {
  const { id, at } = edge;
  const commandId = ownCommand(things, edge);
  const startedAt = commandId === undefined ? Math.max(things.startedAt, at) : things.startedAt;
  if (at <= (things.ended[id] ?? -1)) return { ...things, startedAt };
  const from = Math.max(things.open[id]?.from ?? 0, at);
  const open = { ...things.open, [id]: { from, ...(commandId !== undefined && { commandId }) } };
  return { ...things, startedAt, open: newest(open, (thing) => thing.from) };
}

export function noteEnd(things: Ongoing, edge: Edge): Ongoing {
  const { id } = edge;
  if (things.ended[id] === edge.at) return things;
  const at = Math.max(edge.at, things.ended[id] ?? 0);
  const { [id]: opened, ...others } = things.open;
  const open = opened !== undefined && opened.from > at ? things.open : others;
  const ended = newest({ ...things.ended, [id]: at }, (endedAt) => endedAt);
  return (ownCommand(things, edge) ?? opened?.commandId) === undefined
    ? { ...things, open, ended, endedAt: Math.max(things.endedAt, edge.at) }
    : { ...things, open, ended, commandEndedAt: Math.max(things.commandEndedAt, edge.at) };
}

/** A line is spoken once: what bears its id after its end has it from a medium that repeats what it was told last. */
function ownCommand(things: Ongoing, { id, at, commandId }: Edge): string | undefined {
  return at > (things.ended[id] ?? Number.POSITIVE_INFINITY) ? undefined : commandId;
}

/** What runs and began after `since`. */
export function openSince(things: Ongoing, since: number): { from: number; commandId?: string }[] {
  return Object.values(things.open).filter(({ from }) => from > since);
}

export function lastEnd(things: Ongoing): number {
  return Math.max(things.endedAt, things.commandEndedAt);
}

function newest<T>(things: Record<string, T>, timeOf: (thing: T) => number): Record<string, T> {
  const entries = Object.entries(things);
  if (entries.length <= MAX_REMEMBERED) return things;
  return Object.fromEntries(entries.sort(([, a], [, b]) => timeOf(b) - timeOf(a)).slice(0, MAX_REMEMBERED));
}
