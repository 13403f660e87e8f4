/** A part of time that is shown, in milliseconds. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export const ZOOMS = ['all', 'start', 'last'] as const;
export type Zoom = (typeof ZOOMS)[number];

const START_MS = 15_000;
const LAST_MS = 120_000;
/** Of a call that has just begun: so that its first second does not fill the screen. */
const SHORTEST_MS = 5_000;

/** @param now the end of what is known: the end of the session, or the present */
export function rangeOf(zoom: Zoom, start: number, now: number): Range {
  const to = Math.max(now, start + SHORTEST_MS);
  switch (zoom) {
    case 'all':
      return { from: start, to };
    case 'start':
      return { from: start, to: Math.min(to, start + START_MS) };
    case 'last':
      return { from: Math.max(start, to - LAST_MS), to };
  }
}

/** Where in the range a time is, in percent; outside of it less than 0 or more than 100. */
export function placeOf(time: number, { from, to }: Range): number {
  return ((time - from) / (to - from)) * 100;
}

/** Where a bar is drawn, cut at the edges of the range; undefined outside of it. One that goes on reaches the end. */
export function spanOf(
  bar: { readonly from: number; readonly to: number | undefined },
  range: Range,
): { readonly left: number; readonly width: number } | undefined {
  const to = bar.to ?? range.to;
  if (to < range.from || bar.from > range.to) return undefined;
  const left = Math.max(0, placeOf(bar.from, range));
  return { left, width: Math.min(100, placeOf(to, range)) - left };
}

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200];
const MOST_TICKS = 8;

/** Round times since the start of the session, few enough to be read. */
export function ticksOf(range: Range, start: number): { readonly at: number; readonly seconds: number }[] {
  const length = (range.to - range.from) / 1_000;
  const step = STEPS_S.find((it) => length / it <= MOST_TICKS) ?? 14_400;
  const first = Math.ceil((range.from - start) / 1_000 / step) * step;
  const ticks = [];
  for (let seconds = first; start + seconds * 1_000 <= range.to; seconds += step) {
    ticks.push({ at: start + seconds * 1_000, seconds });
  }
  return ticks;
}

/** Since the start; `−0:42` before it: a warm agent has printed something before it was asked for. */
export function clockSince(start: number, at: number): string {
  const seconds = (at - start) / 1_000;
  return seconds <= -1 ? `−${clockOf(-seconds)}` : clockOf(seconds);
}

/** `0:07`, `12:30`, `1:02:03`: since the start. */
export function clockOf(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60];
  const [hours = 0, minutes = 0, rest = 0] = parts;
  const tail = `${hours > 0 ? String(minutes).padStart(2, '0') : minutes}:${String(rest).padStart(2, '0')}`;
  return hours > 0 ? `${hours}:${tail}` : tail;
}
