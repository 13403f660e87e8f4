import { useEffect, useRef } from 'react';
import { isUnclear, isUnsent, type Line, toAnnounce } from '../state/transcript.js';
import styles from './transcript-view.module.css';

export interface TranscriptViewProps {
  readonly lines: readonly Line[];
  /** What to say while nobody has said anything. */
  readonly empty?: string;
  /** What was typed and not heard, once more; undefined while that cannot be. */
  readonly onSayAgain?: (line: Line) => void;
}

/** How far from the end somebody must have scrolled up to be left there. */
const NEAR_END_PX = 80;

/** What both sides said. Stays at its end, but for somebody who reads further up. */
export function TranscriptView({ lines, empty, onSayAgain }: TranscriptViewProps) {
  const list = useRef<HTMLOListElement>(null);
  const isAtEnd = useRef(true);
  useEffect(() => scrollToEnd(list.current, isAtEnd.current), [lines]);
  // A phone's keyboard takes half of its height away.
  useEffect(() => {
    const element = list.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => scrollToEnd(element, isAtEnd.current));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const sayAgain = (line: Line): void => {
    onSayAgain?.(line);
    // The button that had the focus is gone.
    list.current?.focus();
  };
  return (
    <>
      <ol
        ref={list}
        className={styles['lines']}
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, by keyboard too
        tabIndex={0}
        aria-label="Transcript"
        data-testid="transcript"
        onScroll={({ currentTarget: it }) => {
          isAtEnd.current = it.scrollHeight - it.scrollTop - it.clientHeight < NEAR_END_PX;
        }}
      >
        {empty && lines.every(({ role }) => role === 'note') && <li className={styles['empty']}>{empty}</li>}
        {lines.map((line) => (
          <TranscriptLine key={line.key} line={line} {...(onSayAgain && { onSayAgain: sayAgain })} />
        ))}
      </ol>
      <Spoken lines={lines} />
    </>
  );
}

function scrollToEnd(element: HTMLElement | null, isWanted: boolean): void {
  if (element && isWanted) element.scrollTop = element.scrollHeight;
}

interface TranscriptLineProps {
  readonly line: Line;
  readonly onSayAgain?: (line: Line) => void;
}

function TranscriptLine({ line, onSayAgain }: TranscriptLineProps) {
  const { role, text, isFinal } = line;
  const classes = [styles[role], isFinal ? '' : styles['open'], isUnclear(text) ? styles['unclear'] : ''];
  return (
    <li
      className={classes.join(' ')}
      data-testid={`line-${role}`}
      data-final={isFinal}
      data-typed={line.typed}
    >
      {role !== 'note' && <span className={styles['who']}>{role === 'agent' ? 'Agent' : 'You'}</span>}
      <span className={styles['text']}>{isUnclear(text) ? 'not understood' : text}</span>
      {isUnsent(line) && (
        <span className={styles['unsent']} data-testid={`typed-${line.typed}`}>
          {UNSENT[line.typed]}{' '}
          {onSayAgain && (
            <button type="button" data-testid="say-again" onClick={() => onSayAgain(line)}>
              Send again
            </button>
          )}
        </span>
      )}
    </li>
  );
}

const UNSENT = { failed: 'Not sent.', doubtful: 'Perhaps not heard.' } as const;

const SPEAKER = { agent: 'Agent: ', user: 'You: ', note: '' } as const;

/** Screen readers are told each line once, when it is complete; not each word of it. */
function Spoken({ lines }: { readonly lines: readonly Line[] }) {
  return (
    <div className="visually-hidden" aria-live="polite" aria-relevant="additions">
      {toAnnounce(lines).map((line) => (
        <p
          key={line.key}
        >{`${isUnsent(line) ? `${UNSENT[line.typed]} ` : ''}${SPEAKER[line.role]}${line.text}`}</p>
      ))}
    </div>
  );
}
