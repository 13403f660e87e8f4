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

export type KnownSession =
  | { readonly kind: 'loading' }
  | { readonly kind: 'unknown'; readonly why: string }
  | { readonly kind: 'live'; readonly view: AdminSessionView; readonly timeline: SessionTimelineView }
  | { readonly kind: 'over'; readonly view: EndedSessionView; readonly timeline: SessionTimelineView };

/** As many as the api keeps of one session. */
const MOST_ENTRIES = 2_000;
const AT_ONCE_MS = 100;
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
    load(sessionId, gone.signal).then(setSession, (error: unknown) => {
      if (!gone.signal.aborted) setSession({ kind: 'unknown', why: messageOf(error) });
    });
    return () => gone.abort();
  }, [sessionId, round]);

  const isLive = session.kind === 'live';
  const from = session.kind === 'live' ? session.timeline.lastEventId : null;
  useEffect(() => {
    if (!isLive || from === null) return undefined;
    const batch = new Batch((entries) => setSession((known) => withEntries(known, entries)));
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
    return () => {
      stop();
      batch.drop();
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

function withEntries(known: KnownSession, entries: readonly TimelineEntry[]): KnownSession {
  if (known.kind !== 'live') return known;
  const all = [...known.timeline.entries, ...entries];
  const timeline = {
    ...known.timeline,
    timeline: milestonesAfter(known.timeline.timeline, entries),
    entries: all.slice(-MOST_ENTRIES),
    isCut: known.timeline.isCut || all.length > MOST_ENTRIES,
  };
  return { kind: 'live', view: viewAfter(known.view, entries), timeline };
}

type Milestones = SessionTimelineView['timeline'];

/** What the steps since then say of the milestones. */
function milestonesAfter(before: Milestones, entries: readonly TimelineEntry[]): Milestones {
  const after = { ...before };
  for (const { event, data } of entries) {
    if (event === 'state' && data.step === 'spawned') after.spawnedAt ??= data.at;
    if (event === 'state' && data.step === 'ready') after.readyAt ??= data.at;
    if (event === 'state' && data.step === 'caller_joined') after.joinedAt ??= data.at;
    if (event === 'state' && data.step === 'ending') after.endRequestedAt ??= data.at;
    if (event === 'agent' && data.kind === 'agent_speaking' && data.active === true)
      after.firstAudioAt ??= data.at;
  }
  return after;
}

function viewAfter(before: AdminSessionView, entries: readonly TimelineEntry[]): AdminSessionView {
  let view = before;
  for (const { event, data } of entries) {
    if (event !== 'state') continue;
    const { status, restarts, endReason, error } = data;
    view = {
      ...view,
      ...(status !== 'gone' && { status }),
      ...(restarts !== undefined && { restarts }),
      ...(endReason !== undefined && { endReason }),
      ...(error !== undefined && { error }),
    };
  }
  return view;
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
