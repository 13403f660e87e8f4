/**
 * What both sides said, put together from two sources that know of each other nothing: the session's stream, which has every
 * line once it is complete, and LiveKit's transcription in the room, which has the words while they are spoken. Either may be
 * missing: not every agent sends both.
 */
export interface Line {
  readonly key: string;
  /** `note`: something about the call that nobody said. */
  readonly role: 'user' | 'agent' | 'note';
  readonly text: string;
  /** Milliseconds since 1970, by this machine's clock. */
  readonly at: number;
  /** The words will not change any more. */
  readonly isFinal: boolean;
  /** It came by the stream: LiveKit's words for it are no line of their own. */
  readonly isConfirmed: boolean;
  /** Of LiveKit's transcription, while it is spoken. */
  readonly segment?: string;
  readonly typed?: Typed;
}

/**
 * What became of a line that was typed here: it waits for somebody who hears it, was sent, and is confirmed by the stream. What was
 * sent to somebody who then was lost is `doubtful`; what never left has `failed`. Both may be sent again, and wait anew.
 */
export type Typed = 'waiting' | 'sent' | 'confirmed' | 'failed' | 'doubtful';

export interface Said {
  readonly role: 'user' | 'agent';
  readonly text: string;
  readonly final: boolean;
  readonly at: number;
}

export interface Segment extends Said {
  readonly id: string;
}

/** How far back a line may lie that two sources tell of. */
const LOOK_BACK = 6;

/** A line of the session's stream. */
export function addSaid(lines: readonly Line[], said: Said): Line[] {
  if (normalize(said.text) === '') return [...lines];
  const open = said.final ? findUnconfirmed(lines, said) : findUnfinished(lines, said.role);
  if (!said.final && !open && findMatch(lines, said)) return [...lines];
  return put(lines, open, {
    role: said.role,
    text: said.text,
    isFinal: said.final,
    isConfirmed: said.final,
    at: said.at,
  });
}

/** Words of LiveKit's transcription: all that the segment has so far. */
export function addSegment(lines: readonly Line[], segment: Segment): Line[] {
  const { id, role, text, final, at } = segment;
  if (normalize(text) === '') return [...lines];
  const unfinished = findUnfinished(lines, role);
  const known =
    lines.find((line) => line.segment === id) ??
    (unfinished?.segment === undefined ? unfinished : undefined) ??
    findMatch(lines, segment);
  if (known?.isConfirmed) return put(lines, known, { ...known, segment: id });
  return put(lines, known, { role, text, isFinal: final, isConfirmed: false, at, segment: id });
}

/** What was typed here; the stream tells it again when the agent has taken it up. Under a key that is there, it is sent again. */
export function addTyped(lines: readonly Line[], key: string, text: string, at: number): Line[] {
  const others = lines.filter((line) => line.key !== key);
  return [...others, { key, role: 'user', text, at, isFinal: true, isConfirmed: false, typed: 'waiting' }];
}

/** The wait is over: it goes out to an agent that listens. */
export function sendTyped(lines: readonly Line[], key: string): readonly Line[] {
  return become(lines, 'sent', (line) => line.key === key && line.typed === 'waiting');
}

export function failTyped(lines: readonly Line[], key: string): readonly Line[] {
  return become(lines, 'failed', (line) => line.key === key && line.typed !== 'confirmed');
}

/**
 * The agent or the connection is lost, or time has passed: what was sent, and is not confirmed, may be gone.
 * @param of the line with this key alone
 */
export function doubtTyped(lines: readonly Line[], of?: string): readonly Line[] {
  const answered = tellsTheStream(lines) ? -1 : lines.findLastIndex(({ role }) => role === 'agent');
  const isOpen = ({ key, typed }: Line, at: number) =>
    typed === 'sent' && at > answered && (of ?? key) === key;
  return become(lines, 'doubtful', isOpen);
}

/** The call is over: what still waits will not be sent any more. */
export function settleTyped(lines: readonly Line[]): readonly Line[] {
  return become(doubtTyped(lines), 'failed', ({ typed }) => typed === 'waiting');
}

function become(
  lines: readonly Line[],
  typed: Typed,
  isMeant: (line: Line, at: number) => boolean,
): readonly Line[] {
  if (!lines.some(isMeant)) return lines;
  return lines.map((line, at) => (isMeant(line, at) ? { ...line, typed } : line));
}

/** An agent that tells the stream nothing cannot confirm anything: only of such a one, a later line counts as its answer. */
function tellsTheStream(lines: readonly Line[]): boolean {
  return lines.some(({ role, isConfirmed }) => role !== 'note' && isConfirmed);
}

export function addNote(lines: readonly Line[], text: string, at: number): Line[] {
  const last = lines.at(-1);
  if (last?.role === 'note' && last.text === text) return [...lines];
  return put(lines, undefined, { role: 'note', text, isFinal: true, isConfirmed: true, at });
}

/** For the clipboard. */
export function toText(lines: readonly Line[], userName: string): string {
  return lines
    .filter(({ isFinal, typed }) => isFinal && typed !== 'failed' && typed !== 'waiting')
    .map(({ role, text }) => {
      if (role === 'note') return `[${text}]`;
      return `${role === 'agent' ? 'Agent' : userName || 'You'}: ${text}`;
    })
    .join('\n');
}

const ANNOUNCED = 5;
const UNSENT: readonly (Typed | undefined)[] = ['failed', 'doubtful'];

/**
 * For a screen reader: those of the newest lines that are complete. Each is read out when it is new; several may be complete at
 * once. Of the newest, not as many as there are: an older one would come back, and be read out again, for each that leaves.
 */
export function toAnnounce(lines: readonly Line[]): Line[] {
  return lines.slice(-ANNOUNCED).filter((line) => line.isFinal && (!line.typed || isUnsent(line)));
}

/** Typed, and to be sent again if it is still wanted. */
export function isUnsent(line: Line): line is Line & { typed: 'failed' | 'doubtful' } {
  return UNSENT.includes(line.typed);
}

/** Words which the recognizer of an agent stands in for: `[unclear]`. */
export function isUnclear(text: string): boolean {
  return /^\[[^\]]*\]$/.test(text);
}

function findUnconfirmed(lines: readonly Line[], said: Said): Line | undefined {
  const recent = ofRole(lines, said.role).filter(
    ({ isConfirmed, typed }) => !isConfirmed && typed !== 'waiting',
  );
  return recent.findLast(({ text }) => isSame(text, said.text)) ?? findUnfinished(lines, said.role);
}

/** Only the newest one of a side can still be spoken. */
function findUnfinished(lines: readonly Line[], role: Said['role']): Line | undefined {
  const newest = ofRole(lines, role).at(-1);
  return newest && !newest.isFinal ? newest : undefined;
}

/** A line of the stream whose words LiveKit tells, late. Each is told once only. */
function findMatch(lines: readonly Line[], { role, text }: Said): Line | undefined {
  return ofRole(lines, role).findLast(
    (line) => line.segment === undefined && line.typed === undefined && isSame(line.text, text),
  );
}

function ofRole(lines: readonly Line[], role: Said['role']): Line[] {
  return lines.slice(-LOOK_BACK).filter((line) => line.role === role);
}

/** One may be the beginning of the other: it was not finished yet, or was interrupted. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [normalize(one), normalize(other)];
  return a !== '' && b !== '' && (a.startsWith(b) || b.startsWith(a));
}

function normalize(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}[\]]+/gu, '');
}

type Content = Omit<Line, 'key'>;

function put(lines: readonly Line[], old: Line | undefined, content: Content): Line[] {
  if (!old) return [...lines, { ...content, key: `${content.at}-${lines.length}` }];
  // What was typed stays as it was typed; and a line keeps its time, which is when it began.
  const typed = old.typed && {
    typed: content.isConfirmed ? ('confirmed' as const) : old.typed,
    text: old.text,
  };
  return lines.map((line) => (line === old ? { ...line, ...content, ...typed, at: line.at } : line));
}
