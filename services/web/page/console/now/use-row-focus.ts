import { defaultRangeExtractor, type Range } from '@tanstack/react-virtual';
import {
  type FocusEvent,
  type KeyboardEvent,
  type RefObject,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';
import type { LiveSession } from '../live/live-state.js';
import { navigate, PATHS } from '../router/location.js';

export interface RowFocus {
  /** The row to which Tab leads. */
  readonly index: number;
  readonly onKeyDown: (event: KeyboardEvent) => void;
  readonly onFocus: (event: FocusEvent) => void;
}

const PAGE = 10;

/**
 * One row of the table can be reached by Tab, and from there the others by arrows. It is remembered by its session: when rows
 * come, go or change places the focus stays with whom it was on, and when that one goes, where it was.
 */
export function useRowFocus(
  sessions: readonly LiveSession[],
  scroller: RefObject<HTMLElement | null>,
  scrollTo: (index: number) => void,
): RowFocus {
  const [current, setCurrent] = useState<{ id: string | undefined; index: number }>({
    id: undefined,
    index: 0,
  });
  /** Whether a row has it, or had it until it went. */
  const hasFocus = useRef(false);
  const found = sessions.findIndex(({ sessionId }) => sessionId === current.id);
  const index = found >= 0 ? found : Math.max(0, Math.min(current.index, sessions.length - 1));
  const id = sessions[index]?.sessionId;

  useLayoutEffect(() => {
    if (!hasFocus.current || id === undefined) return;
    const row = scroller.current?.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"]`);
    const { activeElement } = document;
    const isElsewhere = activeElement !== document.body && !scroller.current?.contains(activeElement);
    if (isElsewhere) hasFocus.current = false;
    else if (row && !row.contains(activeElement)) row.focus({ preventScroll: true });
  });

  const onKeyDown = (event: KeyboardEvent): void => {
    const row = (event.target as Element).closest('[data-id]');
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'Enter' && id !== undefined && !(event.target as Element).closest('a')) {
      event.preventDefault();
      navigate(PATHS.session(id));
      return;
    }
    const next = nextIndex(event.key, index, sessions.length);
    if (next === undefined) return;
    event.preventDefault();
    setCurrent({ id: sessions[next]?.sessionId, index: next });
    scrollTo(next);
  };

  const onFocus = (event: FocusEvent): void => {
    const focused = event.target.closest<HTMLElement>('[data-id]')?.dataset['id'];
    hasFocus.current = focused !== undefined;
    if (focused === undefined || focused === current.id) return;
    setCurrent({ id: focused, index: sessions.findIndex(({ sessionId }) => sessionId === focused) });
  };

  return { index, onKeyDown, onFocus };
}

function nextIndex(key: string, index: number, count: number): number | undefined {
  const within = (wanted: number): number => Math.max(0, Math.min(wanted, count - 1));
  switch (key) {
    case 'ArrowDown':
      return within(index + 1);
    case 'ArrowUp':
      return within(index - 1);
    case 'PageDown':
      return within(index + PAGE);
    case 'PageUp':
      return within(index - PAGE);
    case 'Home':
      return 0;
    case 'End':
      return within(count - 1);
    default:
      return undefined;
  }
}

/** The row with the focus stays in the page, also where it cannot be seen: else the focus would be gone with it. */
export function extractRows(range: Range, focused: number): number[] {
  const rows = defaultRangeExtractor(range);
  if (focused >= range.count || rows.includes(focused)) return rows;
  return focused < range.startIndex ? [focused, ...rows] : [...rows, focused];
}
