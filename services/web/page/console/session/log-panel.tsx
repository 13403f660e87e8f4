import { memo, useEffect, useMemo, useRef, useState } from 'react';
import { Button } from '../../shared/ui/button.jsx';
import { Panel } from '../now/panel.jsx';
import { Problem } from '../parts/problem.jsx';
import { useAction } from '../parts/use-action.js';
import { clockSince } from './axis.js';
import type { LogLine } from './log-buffer.js';
import { printedBefore } from './log-columns.js';
import { LEVELS, type Level, splitByFinds } from './log-lines.js';
import styles from './log-panel.module.css';
import { downloadLog, type Log } from './use-log.js';

const LEVEL_NAMES: Record<Level | 'all', string> = {
  all: 'All levels',
  error: 'Errors',
  warn: 'Warnings',
  info: 'Info',
  other: 'Without a level',
};

export interface LogPanelProps {
  readonly sessionId: string;
  readonly isLive: boolean;
  readonly log: Log;
  /** Of the session: times are told since then, as on the axis. */
  readonly start: number;
  readonly isPaused: boolean;
  readonly onPause: (isPaused: boolean) => void;
  /** Lines that were printed then are marked. */
  readonly moment: number | undefined;
  /** The log goes to what was printed then, once for each object. */
  readonly scrollTo: { readonly at: number } | undefined;
  readonly onPoint: (at: number | undefined) => void;
  readonly onPick: (at: number) => void;
}

/** What the agent prints. What callers say is never in it. */
export function LogPanel(props: LogPanelProps) {
  const { sessionId, isLive, log, start, isPaused, onPause, moment, scrollTo, onPoint, onPick } = props;
  const { lines, waiting, problem } = log;
  const [level, setLevel] = useState<Level | 'all'>('all');
  const [search, setSearch] = useState('');
  const download = useAction();
  const shown = useMemo(() => {
    const wanted = search.toLowerCase();
    return lines.filter(
      (line) => (level === 'all' || line.level === level) && line.text.toLowerCase().includes(wanted),
    );
  }, [lines, level, search]);
  return (
    <Panel title="Log of the agent" count={lines.length} testId="log">
      <div className={styles.tools}>
        <input
          type="search"
          className={styles.search}
          placeholder="Search"
          aria-label="Search in the log"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
          data-testid="log-search"
        />
        <select
          className={styles.level}
          aria-label="Level, guessed from each line"
          title="Guessed from each line: agents print as they like"
          value={level}
          onChange={(event) => setLevel(event.target.value as Level | 'all')}
          data-testid="log-level"
        >
          {(['all', ...LEVELS] as const).map((name) => (
            <option key={name} value={name}>
              {LEVEL_NAMES[name]}
            </option>
          ))}
        </select>
        {isLive && (
          <Button
            size="small"
            aria-pressed={isPaused}
            onClick={() => onPause(!isPaused)}
            data-testid="log-pause"
          >
            {isPaused ? (waiting === undefined ? 'Go on' : `Go on (${waiting} new)`) : 'Pause'}
          </Button>
        )}
        <Button
          size="small"
          disabled={download.isRunning}
          onClick={() => void download.run(() => downloadLog(sessionId))}
          data-testid="log-download"
        >
          Download
        </Button>
      </div>
      <Problem testId="log-problem">{download.problem ?? problem}</Problem>
      <Lines
        lines={shown}
        search={search}
        isEmpty={lines.length === 0}
        start={start}
        marked={printedBefore(shown, moment)}
        scrollTo={scrollTo}
        onPoint={onPoint}
        onPick={onPick}
      />
    </Panel>
  );
}

type LinesProps = Pick<LogPanelProps, 'start' | 'scrollTo' | 'onPoint' | 'onPick'> & {
  readonly lines: readonly LogLine[];
  readonly search: string;
  readonly isEmpty: boolean;
  /** Those of this time. */
  readonly marked: number | undefined;
};

/** Drawn only when something of it changes, not with each move of the pointer: it may be long. */
const Lines = memo(function Lines(props: LinesProps) {
  const { lines, search, isEmpty, start, marked, scrollTo, onPoint, onPick } = props;
  const box = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const last = lines.at(-1)?.number;
  useEffect(() => {
    const { current } = box;
    if (current && isAtEnd.current) current.scrollTop = current.scrollHeight;
  }, [last]);
  useEffect(() => {
    const { current } = box;
    if (scrollTo === undefined || current === null) return;
    const line = current.querySelector<HTMLElement>('[data-marked="true"]');
    if (line) current.scrollTop = line.offsetTop - current.clientHeight / 3;
  }, [scrollTo]);
  return (
    <div
      ref={box}
      className={styles.lines}
      // Scrollable parts must be reached by key too.
      tabIndex={0}
      role="log"
      aria-label="Lines of the log"
      aria-live="off"
      data-testid="log-lines"
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        isAtEnd.current = scrollHeight - scrollTop - clientHeight < 24;
      }}
      onPointerOver={({ target }) => onPoint(timeOf(target))}
      onPointerLeave={() => onPoint(undefined)}
      onClick={({ target }) => {
        const at = timeOf(target);
        // Whoever selects a text wants that.
        if (at !== undefined && getSelection()?.isCollapsed !== false) onPick(at);
      }}
    >
      {lines.length === 0 && (
        <p className={styles.empty}>{isEmpty ? 'The agent has printed nothing yet.' : 'No line matches.'}</p>
      )}
      {lines.map((line) => (
        <Line
          key={line.number}
          line={line}
          start={start}
          search={search}
          isMarked={line.at !== undefined && line.at === marked}
        />
      ))}
    </div>
  );
});

function timeOf(target: EventTarget): number | undefined {
  const line = target instanceof Element ? target.closest<HTMLElement>('[data-at]') : null;
  return line === null ? undefined : Number(line.dataset['at']);
}

interface LineProps {
  readonly line: LogLine;
  readonly start: number;
  readonly search: string;
  readonly isMarked: boolean;
}

const Line = memo(function Line({ line: { text, level, at }, start, search, isMarked }: LineProps) {
  const time = at === undefined ? undefined : new Date(at).toISOString();
  return (
    <div className={styles.line} data-level={level} data-at={at} data-marked={isMarked}>
      {at === undefined ? (
        <span />
      ) : (
        <time dateTime={time} title={time}>
          {clockSince(start, at)}
        </time>
      )}
      <span className={styles.text}>
        {splitByFinds(text, search).map((part, index) =>
          // Its place is all that a part of a line has.
          // oxlint-disable-next-line react/no-array-index-key
          index % 2 === 1 ? <mark key={index}>{part}</mark> : part,
        )}
      </span>
    </div>
  );
});
