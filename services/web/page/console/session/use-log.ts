import type { LogLinesView } from '@greenroom/contracts';
import { useEffect, useMemo, useRef, useState } from 'react';
import { problemOf } from '../../shared/ask.js';
import { followEvents } from '../../shared/event-stream.js';
import { askAsAdmin, readAdminToken } from '../door/admin-token.js';
import {
  connectAnew,
  countWaiting,
  goOn,
  type LogLine,
  NO_LINES,
  takeLines,
  toLogLine,
} from './log-buffer.js';

export interface Log {
  readonly lines: readonly LogLine[];
  /** How many came while the log was paused; undefined where nobody can tell how many of them are new. */
  readonly waiting: number | undefined;
  readonly problem: string | undefined;
}

/** An api of the version before tells no times. */
type Answer = Pick<LogLinesView, 'lines'> & Partial<LogLinesView>;

const TAIL = 200;
const AT_ONCE_MS = 100;
const logsOf = (sessionId: string): string => `/api/session/${encodeURIComponent(sessionId)}/logs`;

/** What the agent prints: of a live session as it comes, of one that is over what is kept. */
export function useLog(sessionId: string, isLive: boolean, isPaused: boolean): Log {
  const [buffer, setBuffer] = useState(NO_LINES);
  const [problem, setProblem] = useState<string>();
  const paused = useRef(isPaused);
  paused.current = isPaused;

  useEffect(() => {
    if (!isPaused) setBuffer(goOn);
  }, [isPaused]);

  useEffect(() => {
    const fail = (error: { message: string }): void => setProblem(error.message);
    if (!isLive) {
      const gone = new AbortController();
      askAsAdmin<Answer>(`${logsOf(sessionId)}?tail=1000`, { signal: gone.signal }).then(
        ({ lines, times }) => {
          const kept = lines.map((text, number) => toLogLine(number, text, times?.[number]));
          setBuffer(takeLines(NO_LINES, kept, false));
          setProblem(undefined);
        },
        (error: Error) => {
          if (!gone.signal.aborted) fail(error);
        },
      );
      return () => gone.abort();
    }
    let count = 0;
    let time: unknown;
    let came: LogLine[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = (): void => {
      timer = undefined;
      const lines = came.splice(0);
      const isHeld = paused.current;
      if (lines.length > 0) setBuffer((known) => takeLines(known, lines, isHeld));
    };
    const stop = followEvents({
      path: `${logsOf(sessionId)}?follow=1&tail=${TAIL}`,
      key: readAdminToken() ?? undefined,
      lastEvent: 'end',
      onStatus: (status) => {
        // Each connection begins with the last lines again.
        if (status !== 'open') return;
        came = [];
        time = undefined;
        setBuffer(connectAnew);
        setProblem(undefined);
      },
      onEvent: ({ event, data }) => {
        if (event === 'at') time = data;
        if (event !== 'line') return;
        came.push(toLogLine(count, String(data), time));
        count += 1;
        timer ??= setTimeout(flush, AT_ONCE_MS);
      },
      onOver: (over) => over && fail(over),
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [sessionId, isLive]);
  return useMemo(() => ({ lines: buffer.lines, waiting: countWaiting(buffer), problem }), [buffer, problem]);
}

/** The whole log that is kept, as a file. The token goes into the header: an address would remember it. */
export async function downloadLog(sessionId: string): Promise<void> {
  const response = await fetch(`${logsOf(sessionId)}?download=1`, {
    headers: { Authorization: `Bearer ${readAdminToken() ?? ''}` },
  });
  if (!response.ok) throw problemOf(response, await response.json().catch(() => ({})));
  const address = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = address;
  link.download = `${sessionId}.log`;
  link.click();
  URL.revokeObjectURL(address);
}
