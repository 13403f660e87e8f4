import { memo, useEffect, useRef, useState } from 'react';
import { Button } from '../../shared/ui/button.jsx';
import { Panel } from '../now/panel.jsx';
import { Problem } from '../parts/problem.jsx';
import { useAction } from '../parts/use-action.js';
import type { LogLine } from './log-buffer.js';
import { guessLevel, LEVELS, type Level, splitByFinds } from './log-lines.js';
import styles from './log-panel.module.css';
import { downloadLog, useLog } from './use-log.js';

const LEVEL_NAMES: Record<Level | 'all', string> = {
  all: 'All levels',
  error: 'Errors',
  warn: 'Warnings',
  info: 'Info',
  other: 'Without a level',
};

/** What the agent prints. What callers say is never in it. Drawn only when something of it changes: it may be long. */
export const LogPanel = memo(function LogPanel({
  sessionId,
  isLive,
}: {
  readonly sessionId: string;
  readonly isLive: boolean;
}) {
  const [isPaused, setIsPaused] = useState(false);
  const [level, setLevel] = useState<Level | 'all'>('all');
  const [search, setSearch] = useState('');
  const { lines, waiting, problem } = useLog(sessionId, isLive, isPaused);
  const download = useAction();
  const shown = lines.filter(
    ({ text }) =>
      (level === 'all' || guessLevel(text) === level) && text.toLowerCase().includes(search.toLowerCase()),
  );
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
            onClick={() => setIsPaused(!isPaused)}
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
      <Lines lines={shown} search={search} isEmpty={lines.length === 0} />
    </Panel>
  );
});

function Lines({ lines, search, isEmpty }: { lines: readonly LogLine[]; search: string; isEmpty: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const last = lines.at(-1)?.number;
  useEffect(() => {
    const { current } = box;
    if (current && isAtEnd.current) current.scrollTop = current.scrollHeight;
  }, [last]);
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
    >
      {lines.length === 0 && (
        <p className={styles.empty}>{isEmpty ? 'The agent has printed nothing yet.' : 'No line matches.'}</p>
      )}
      {lines.map(({ number, text }) => (
        <Line key={number} text={text} search={search} />
      ))}
    </div>
  );
}

const Line = memo(function Line({ text, search }: { text: string; search: string }) {
  return (
    <div className={styles.line} data-level={guessLevel(text)}>
      {splitByFinds(text, search).map((part, index) =>
        // Its place is all that a part of a line has.
        // oxlint-disable-next-line react/no-array-index-key
        index % 2 === 1 ? <mark key={index}>{part}</mark> : part,
      )}
    </div>
  );
});
