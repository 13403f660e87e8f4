import { useEffect, useRef, useState } from 'react';
import { followEvents } from '../../shared/event-stream.js';
import { askAsAdmin, readAdminToken } from '../door/admin-token.js';

export interface LogLine {
  readonly number: number;
  readonly text: string;
}

export interface Log {
  readonly lines: readonly LogLine[];
  /** Came while the log was paused, and is shown when it goes on. */
  readonly waiting: number;
  readonly problem: string | undefined;
}

const TAIL = 200;
/** More are in the file that can be downloaded. */
const MOST = 2_000;
const AT_ONCE_MS = 100;
const logsOf = (sessionId: string): string => `/api/session/${encodeURIComponent(sessionId)}/logs`;

/** What the agent prints: of a live session as it comes, of one that is over what is kept. */
export function useLog(sessionId: string, isLive: boolean, isPaused: boolean): Log {
  const [log, setLog] = useState<Log>({ lines: [], waiting: 0, problem: undefined });
  const held = useRef<LogLine[]>([]);
  const paused = useRef(isPaused);
  paused.current = isPaused;

  useEffect(() => {
    if (isPaused || held.current.length === 0) return;
    const came = held.current.splice(0);
    setLog((known) => ({ ...known, lines: [...known.lines, ...came].slice(-MOST), waiting: 0 }));
  }, [isPaused]);

  useEffect(() => {
    const fail = (error: { message: string }): void =>
      setLog((known) => ({ ...known, problem: error.message }));
    if (!isLive) {
      const gone = new AbortController();
      askAsAdmin<{ lines: string[] }>(`${logsOf(sessionId)}?tail=1000`, { signal: gone.signal }).then(
        ({ lines }) =>
          setLog({ lines: lines.map((text, number) => ({ number, text })), waiting: 0, problem: undefined }),
        (error: Error) => {
          if (!gone.signal.aborted) fail(error);
        },
      );
      return () => gone.abort();
    }
    let count = 0;
    let came: LogLine[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = (): void => {
      timer = undefined;
      const lines = came.splice(0);
      if (paused.current) {
        held.current = [...held.current, ...lines].slice(-MOST);
        setLog((known) => ({ ...known, waiting: held.current.length }));
      } else setLog((known) => ({ ...known, lines: [...known.lines, ...lines].slice(-MOST) }));
    };
    const stop = followEvents({
      path: `${logsOf(sessionId)}?follow=1&tail=${TAIL}`,
      key: readAdminToken() ?? undefined,
      lastEvent: 'end',
      onStatus: (status) => {
        // Each connection begins with the last lines again.
        if (status !== 'open') return;
        came = [];
        held.current = [];
        setLog({ lines: [], waiting: 0, problem: undefined });
      },
      onEvent: ({ event, data }) => {
        if (event !== 'line') return;
        came.push({ number: count, text: String(data) });
        count += 1;
        timer ??= setTimeout(flush, AT_ONCE_MS);
      },
      onOver: (problem) => problem && fail(problem),
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [sessionId, isLive]);
  return log;
}

/** The whole log that is kept, as a file. The token goes into the header: an address would remember it. */
export async function downloadLog(sessionId: string): Promise<void> {
  const response = await fetch(`${logsOf(sessionId)}?download=1`, {
    headers: { Authorization: `Bearer ${readAdminToken() ?? ''}` },
  });
  if (!response.ok) {
    const body = (await response.json().catch(() => ({}))) as { detail?: string };
    throw new Error(body.detail ?? `The server answered ${response.status}.`);
  }
  const address = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = address;
  link.download = `${sessionId}.log`;
  link.click();
  URL.revokeObjectURL(address);
}
