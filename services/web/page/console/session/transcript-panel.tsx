import { useEffect, useRef } from 'react';
import { Panel } from '../now/panel.jsx';
import { clockOf } from './axis.js';
import type { Story } from './story.js';
import type { StoryLine } from './story-lines.js';
import styles from './transcript-panel.module.css';

/** Lines that are this near to a moment that is pointed at are marked. */
const NEAR_MS = 1_500;

export interface TranscriptProps {
  readonly story: Story;
  readonly isLive: boolean;
  readonly pointed: number | undefined;
  readonly onPoint: (at: number | undefined) => void;
}

/** What both sides said, beside the axis: whoever points at one sees the other. */
export function TranscriptPanel({ story, isLive, pointed, onPoint }: TranscriptProps) {
  const list = useRef<HTMLOListElement>(null);
  const isAtEnd = useRef(true);
  const count = story.lines.length;
  useEffect(() => {
    const { current } = list;
    if (current && isAtEnd.current) current.scrollTop = current.scrollHeight;
  }, [count]);
  return (
    <Panel title="Transcript" count={count} testId="transcript">
      {count === 0 && (
        <p className={styles.empty}>
          {isLive
            ? 'Nothing was said yet, or this agent reports no words.'
            : 'Nothing is kept of what was said (TRANSCRIPT_RETENTION).'}
        </p>
      )}
      <ol
        ref={list}
        className={styles.list}
        // Scrollable parts must be reached by key too.
        tabIndex={count > 0 ? 0 : undefined}
        aria-label="What was said"
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          isAtEnd.current = scrollHeight - scrollTop - clientHeight < 24;
        }}
      >
        {story.lines.map((line) => (
          <Line
            key={line.key}
            line={line}
            start={story.start}
            isPointed={isNear(line, pointed)}
            onPoint={onPoint}
          />
        ))}
      </ol>
    </Panel>
  );
}

function Line({
  line,
  start,
  isPointed,
  onPoint,
}: {
  readonly line: StoryLine;
  readonly start: number;
  readonly isPointed: boolean;
  readonly onPoint: (at: number | undefined) => void;
}) {
  return (
    <li
      className={styles.line}
      data-role={line.role}
      data-pointed={isPointed}
      data-final={line.isFinal}
      onPointerEnter={() => onPoint(line.at)}
      onPointerLeave={() => onPoint(undefined)}
    >
      <time dateTime={new Date(line.at).toISOString()}>{clockOf((line.at - start) / 1_000)}</time>
      <b>{line.role === 'agent' ? 'Agent' : 'Caller'}</b>
      <span>{line.text}</span>
    </li>
  );
}

/** While it was spoken, or about then. */
function isNear({ at, to = at }: StoryLine, pointed: number | undefined): boolean {
  return pointed !== undefined && pointed >= at - NEAR_MS && pointed <= to + NEAR_MS;
}
