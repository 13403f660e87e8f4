import type {
  AdminSessionView,
  EndedSessionView,
  SessionTimelineView,
  TimelineEntry,
} from '@greenroom/contracts';
import { useCallback, useEffect, useReducer, useState } from 'react';
import { ApiProblem } from '../../shared/ask.js';
import { followEvents } from '../../shared/event-stream.js';
import { askAsAdmin, readAdminToken } from '../door/admin-token.js';
import { afterFailure, isPassing, type KnownSession, withEntries } from './known-session.js';

const AT_ONCE_MS = 100;
const TRY_AGAIN_MS = 3_000;
const pathOf = (sessionId: string): string => `/api/session/${encodeURIComponent(sessionId)}`;

/** All that is known of one session: from its beginning by one question, and from there on by its stream. */
export function useSession(sessionId: string): {
  readonly session: KnownSession;
  readonly reload: () => void;
} {
  const [session, setSession] = useState<KnownSession>({ kind: 'loading' });
  const [round, reload] = useReducer((count: number) => count + 1, 0);

  useEffect(() => {
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    load(sessionId, gone.signal).then(setSession, (error: unknown) => {
      if (gone.signal.aborted) return;
      setSession((known) => afterFailure(known, error));
      if (isPassing(error)) timer = setTimeout(reload, TRY_AGAIN_MS);
    });
    return () => {
      gone.abort();
      clearTimeout(timer);
    };
  }, [sessionId, round]);

  const isLive = session.kind === 'live';
  const from = session.kind === 'live' ? session.timeline.lastEventId : null;
  useEffect(() => {
    if (!isLive || from === null) return undefined;
    let asking = new AbortController();
    const batch = new Batch((entries) => {
      setSession((known) => withEntries(known, entries));
      if (entries.some(({ event }) => event === 'state')) lookAgain();
    });
    const stop = followEvents({
      path: `${pathOf(sessionId)}/events`,
      key: readAdminToken() ?? undefined,
      lastEventId: from,
      onEvent: ({ event, data }) => {
        if (event === 'snapshot') takeSnapshot(data as AdminSessionView);
        else if (event === 'ended' || event === 'promoted') reload();
        else if (data !== undefined) batch.add({ event, data } as TimelineEntry);
      },
      onOver: () => reload(),
    });
    function takeSnapshot(view: AdminSessionView): void {
      setSession((known) => (known.kind === 'live' ? { ...known, view: { ...known.view, ...view } } : known));
    }
    // With a step it may have another agent, host or caller, of which the step itself says next to nothing.
    function lookAgain(): void {
      asking.abort();
      asking = new AbortController();
      // What cannot be asked now leaves what is known; that it is over, its stream says.
      askAsAdmin<AdminSessionView>(pathOf(sessionId), { signal: asking.signal }).then(
        (view) => setSession((known) => (known.kind === 'live' ? { ...known, view } : known)),
        () => undefined,
      );
    }
    return () => {
      stop();
      batch.drop();
      asking.abort();
    };
    // `from` changes with each question for the whole, and only then.
  }, [sessionId, isLive, from]);

  return { session, reload: useCallback(() => reload(), []) };
}

async function load(sessionId: string, signal: AbortSignal): Promise<KnownSession> {
  const timeline = await askAsAdmin<SessionTimelineView>(`${pathOf(sessionId)}/timeline`, { signal });
  try {
    if (timeline.timeline.endedAt !== null) {
      const view = await askAsAdmin<EndedSessionView>(`${pathOf(sessionId)}/history`, { signal });
      const said = await loadTranscript(sessionId, signal);
      return { kind: 'over', view, timeline: { ...timeline, entries: [...timeline.entries, ...said] } };
    }
    const view = await askAsAdmin<AdminSessionView>(pathOf(sessionId), { signal });
    return { kind: 'live', view, timeline };
  } catch (error) {
    // It ended between the two questions: what is asked now is the history.
    if (error instanceof ApiProblem && error.code === 'session_ended') return load(sessionId, signal);
    throw error;
  }
}

/** What was said in a call that is over, where the deployment keeps it. */
async function loadTranscript(sessionId: string, signal: AbortSignal): Promise<TimelineEntry[]> {
  try {
    const path = `${pathOf(sessionId)}/transcript?limit=1000`;
    const { lines } = await askAsAdmin<{ lines: { at: string; role: 'user' | 'agent'; text: string }[] }>(
      path,
      { signal },
    );
    return lines.map((line) => ({ event: 'transcript', data: { ...line, sessionId, final: true } }));
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 404) return [];
    throw error;
  }
}

/** Many events become one change of the page. */
class Batch {
  #entries: TimelineEntry[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #flush: (entries: TimelineEntry[]) => void;

  constructor(flush: (entries: TimelineEntry[]) => void) {
    this.#flush = flush;
  }

  add(entry: TimelineEntry): void {
    this.#entries.push(entry);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#flush(this.#entries.splice(0));
    }, AT_ONCE_MS);
  }

  drop(): void {
    clearTimeout(this.#timer);
  }
}
