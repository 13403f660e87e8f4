import type { LoadSample } from '@greenroom/contracts';
import { type MouseEvent, useMemo, useState } from 'react';
import { Button } from '../../shared/ui/button.jsx';
import { serverNow, useTick } from '../live/clock.jsx';
import { useFollowing } from '../live/live.jsx';
import { Panel } from '../now/panel.jsx';
import tones from '../parts/tones.module.css';
import {
  clockOf,
  clockSince,
  placeOf,
  type Range,
  rangeOf,
  spanOf,
  ticksOf,
  type Zoom,
  ZOOMS,
} from './axis.js';
import { LoadRows } from './load-rows.jsx';
import type { LogLine } from './log-buffer.js';
import { LogRow } from './log-row.jsx';
import { hasTurns, LANES, type Lane, type Story, stepsOf } from './story.js';
import styles from './waterfall.module.css';

const LANE_NAMES: Record<Lane, string> = {
  start: 'Start',
  agent: 'Agent',
  caller: 'Caller',
  silence: 'Dead air',
  session: 'Session',
};
const ZOOM_NAMES: Record<Zoom, string> = { all: 'Whole call', start: 'Start', last: 'Last 2 minutes' };

export interface WaterfallProps {
  readonly story: Story;
  readonly samples: readonly LoadSample[];
  readonly log: readonly LogLine[];
  readonly isCut: boolean;
  readonly pointed: number | undefined;
  readonly onPoint: (at: number | undefined) => void;
  /** A moment that stays marked until another one is chosen, or none. */
  readonly picked: number | undefined;
  readonly onPick: (at: number | undefined) => void;
}

/** What happened, on one axis of time: how it came to be, who spoke when, what became of silence, what was printed, and what it cost. */
export function Waterfall(props: WaterfallProps) {
  const { story, samples, log, isCut, pointed, onPoint, picked, onPick } = props;
  const [zoom, setZoom] = useState<Zoom>('all');
  const now = useNow(story.end === undefined);
  const range = rangeOf(zoom, story.start, story.end ?? now);
  const momentOf = (event: MouseEvent<HTMLDivElement>): number => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    return range.from + ((event.clientX - left) / width) * (range.to - range.from);
  };
  /** The button goes, and the focus with it: to what stands beside it. */
  const clear = ({ currentTarget }: MouseEvent<HTMLButtonElement>): void => {
    currentTarget.parentElement?.querySelector('summary')?.focus();
    onPick(undefined);
  };
  return (
    <Panel title="What happened" testId="waterfall">
      <div className={styles.zooms} role="group" aria-label="Part of the call">
        {ZOOMS.map((name) => (
          <Button
            key={name}
            size="small"
            kind={name === zoom ? 'primary' : 'plain'}
            aria-pressed={name === zoom}
            onClick={() => setZoom(name)}
            data-testid={`zoom-${name}`}
          >
            {ZOOM_NAMES[name]}
          </Button>
        ))}
        {isCut && <span className={styles.cut}>What is older was not kept.</span>}
        {story.end !== undefined && !hasTurns(story) && (
          <span className={styles.cut} data-testid="no-turns">
            Who spoke when was not told, or is not kept any more.
          </span>
        )}
      </div>
      <div className={styles.chart}>
        {LANES.map((lane) => (
          <div key={lane} className={styles.row}>
            <div className={styles.name}>{LANE_NAMES[lane]}</div>
            <div className={styles.lane} data-lane={lane}>
              <Bars story={story} lane={lane} range={range} />
            </div>
          </div>
        ))}
        <LogRow lines={log} range={range} />
        <LoadRows samples={samples} range={range} />
        <div className={styles.row}>
          <div className={styles.name} />
          <Axis range={range} start={story.start} />
        </div>
        <div
          className={styles.over}
          onPointerMove={(event) => onPoint(momentOf(event))}
          onPointerLeave={() => onPoint(undefined)}
          onClick={(event) => onPick(momentOf(event))}
          aria-hidden="true"
          data-testid="axis"
        >
          <Pointer at={picked} range={range} start={story.start} isPicked />
          <Pointer at={pointed} range={range} start={story.start} />
        </div>
      </div>
      <div className={styles.below}>
        <Steps story={story} onPoint={onPoint} onPick={onPick} />
        {picked !== undefined && (
          <Button size="small" onClick={clear} data-testid="unpick">
            Clear the mark at {clockSince(story.start, picked)}
          </Button>
        )}
      </div>
    </Panel>
  );
}

/** From here on a label has no room on the right. */
const LATE_PERCENT = 85;

function Pointer({
  at,
  range,
  start,
  isPicked = false,
}: {
  readonly at: number | undefined;
  readonly range: Range;
  readonly start: number;
  readonly isPicked?: boolean;
}) {
  if (at === undefined || at < range.from || at > range.to) return null;
  const place = placeOf(at, range);
  return (
    <div
      className={styles.pointer}
      style={{ left: `${place}%` }}
      data-picked={isPicked}
      data-late={place > LATE_PERCENT}
    >
      <span>{clockOf((at - start) / 1_000)}</span>
    </div>
  );
}

/** The present by the server's clock, once a second while the session lives. */
function useNow(isLive: boolean): number {
  const tick = useTick(isLive);
  const following = useFollowing();
  // oxlint-disable-next-line eslint-plugin-react-hooks/exhaustive-deps -- `tick` is the time that `serverNow` reads
  return useMemo(() => serverNow(following), [tick, following]);
}

function Bars({ story, lane, range }: { story: Story; lane: Lane; range: Range }) {
  return (
    <>
      {story.bars
        .filter((bar) => bar.lane === lane)
        .map((bar) => {
          const span = spanOf(bar, range);
          if (!span) return null;
          const length = ((bar.to ?? range.to) - bar.from) / 1_000;
          return (
            <div
              key={bar.key}
              className={`${styles.bar} ${tones[bar.tone]}`}
              style={{ left: `${span.left}%`, width: `${span.width}%` }}
              title={`${bar.label}: ${length.toFixed(1)} s`}
              data-bar={bar.label}
            >
              <span>{bar.label}</span>
            </div>
          );
        })}
      {story.marks
        .filter((mark) => mark.lane === lane && mark.at >= range.from && mark.at <= range.to)
        .map((mark) => (
          <div
            key={mark.key}
            className={`${styles.mark} ${tones[mark.tone]}`}
            style={{ left: `${placeOf(mark.at, range)}%` }}
            title={mark.label}
            data-mark={mark.label}
          />
        ))}
    </>
  );
}

function Axis({ range, start }: { range: Range; start: number }) {
  return (
    <div className={styles.axis}>
      {ticksOf(range, start).map(({ at, seconds }) => (
        <span key={seconds} className={styles.tick} style={{ left: `${placeOf(at, range)}%` }}>
          <span>{clockOf(seconds)}</span>
        </span>
      ))}
    </div>
  );
}

/** The same in words, for whoever cannot see or point at the chart. */
function Steps({ story, onPoint, onPick }: Pick<WaterfallProps, 'story' | 'onPoint' | 'onPick'>) {
  const steps = stepsOf(story);
  return (
    <details className={styles.steps}>
      <summary>As a list ({steps.length})</summary>
      <ol>
        {steps.map((step) => (
          <li key={step.key}>
            <button
              type="button"
              className={styles.step}
              onClick={() => onPick(step.at)}
              onFocus={() => onPoint(step.at)}
              onBlur={() => onPoint(undefined)}
              onPointerEnter={() => onPoint(step.at)}
              onPointerLeave={() => onPoint(undefined)}
            >
              <time dateTime={new Date(step.at).toISOString()}>
                {clockOf((step.at - story.start) / 1_000)}
              </time>{' '}
              {step.label}
            </button>
          </li>
        ))}
      </ol>
    </details>
  );
}
