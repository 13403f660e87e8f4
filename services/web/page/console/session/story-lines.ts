import type { TimelineEntry } from '@greenroom/contracts';

/** Something that was said. The last of each side may still change (`isFinal` false). */
export interface StoryLine {
  readonly key: string;
  readonly at: number;
  /** Until when it was spoken; undefined: it still is, or nobody saw its speaker speak. */
  readonly to: number | undefined;
  readonly role: 'user' | 'agent';
  readonly text: string;
  readonly isFinal: boolean;
}

/** When one side spoke, as the axis has it. */
interface Turn {
  readonly lane: string;
  readonly from: number;
  readonly to: number | undefined;
}

const LANES = { user: 'caller', agent: 'agent' } as const;

/** Final lines in the order in which they were spoken, and what each side is just saying. */
export function linesOf(entries: readonly TimelineEntry[], turns: readonly Turn[]): StoryLine[] {
  const lines: StoryLine[] = [];
  const saying = new Map<'user' | 'agent', StoryLine>();
  const spoken = { user: new Spoken(turns, 'user'), agent: new Spoken(turns, 'agent') };
  for (const [index, { event, data }] of entries.entries()) {
    if (event !== 'transcript') continue;
    const { role, text, final } = data;
    const before = saying.get(role);
    const told = Date.parse(data.at);
    const turn = final ? spoken[role].takeBefore(told) : undefined;
    const line: StoryLine = {
      key: before?.key ?? `said-${index}`,
      at: turn?.from ?? before?.at ?? told,
      to: turn?.to,
      role,
      text,
      isFinal: final,
    };
    if (final) {
      saying.delete(role);
      lines.push(line);
    } else saying.set(role, line);
  }
  return [...lines, ...saying.values()].sort((a, b) => a.at - b.at);
}

/**
 * The turns of one side. Words are reported after they were spoken, some of them long after: each final line belongs to the turn
 * that last began before it, and no turn to two lines.
 */
class Spoken {
  readonly #turns: readonly Turn[];
  #next = 0;

  constructor(turns: readonly Turn[], role: 'user' | 'agent') {
    this.#turns = turns.filter(({ lane }) => lane === LANES[role]).sort((a, b) => a.from - b.from);
  }

  /** Lines come in the order of their turns: none goes back behind one that was taken. */
  takeBefore(told: number): Turn | undefined {
    const last = this.#turns.findLastIndex(({ from }) => from <= told);
    if (last < this.#next) return undefined;
    this.#next = last + 1;
    return this.#turns[last];
  }
}
