import type { SessionTimelineView, TimelineEntry, TimelineEvent } from '@greenroom/contracts';
import {
  type HistoryRecord,
  MAX_TURNS_KEPT,
  type SessionRecord,
  type StreamEntry,
  type TimelinePage,
  type TurnRecord,
} from '@greenroom/redis-schema';
import { formatStreamId } from '../events/stream-id.js';
import { SessionFeed, type SessionFeedOptions } from '../events/session-feed.js';
import { viewEnded } from './history-view.js';
import { isoTime, isoTimeOrNull } from './session-view.js';

type Timeline = Omit<SessionTimelineView, 'listenIn'>;

/** What happened so far, as the events of the session tell it: a page that shows both needs one way to read them. */
export function viewTimeline(
  { session, before, entries, position, isCut }: TimelinePage & { status: 'live' },
  options: SessionFeedOptions,
): Timeline {
  const tell = (sessionId: string, of: readonly StreamEntry[]): TimelineEntry[] => {
    const feed = new SessionFeed(sessionId, options);
    return of.flatMap((entry) => toTimelineEntry(feed.tell(entry)));
  };
  return {
    success: true,
    sessionId: session.id,
    timeline: timelineSoFar(session),
    entries: [...tell(session.queuedAs ?? session.id, before), ...tell(session.id, entries)],
    isCut,
    lastEventId: formatStreamId(position),
  };
}

const IN_TIMELINE = {
  state: true,
  agent: true,
  transcript: true,
  dead_air: true,
  listener: true,
} as const satisfies Record<TimelineEvent, true>;

function toTimelineEntry(told: ReturnType<SessionFeed['tell']>): TimelineEntry[] {
  if (told === undefined || !(told.event in IN_TIMELINE)) return [];
  return [{ event: told.event, data: told.data } as TimelineEntry];
}

/** `readyAt` is of its first agent, as in the history. */
function timelineSoFar(session: SessionRecord): Timeline['timeline'] {
  return {
    askedAt: isoTimeOrNull(session.askedAt),
    queuedAt: isoTimeOrNull(session.queuedAt),
    spawnedAt: isoTimeOrNull(session.spawnedAt),
    readyAt: isoTimeOrNull(session.firstReadyAt),
    joinedAt: isoTimeOrNull(session.callerJoinedAt),
    firstAudioAt: isoTimeOrNull(session.firstAudioAt),
    endRequestedAt: isoTimeOrNull(session.endRequestedAt),
    endedAt: null,
  };
}

/** What the history has of a session that is over: without a word of what was said in it. */
export function viewTimelineOfEnded(entry: HistoryRecord, turns: readonly TurnRecord[]): Timeline {
  const { id: sessionId } = entry;
  const entries: TimelineEntry[] = [
    ...turns.flatMap((turn) => tellTurn(sessionId, turn)),
    ...entry.deadAir.map(({ step, at }): TimelineEntry => {
      return { event: 'dead_air', data: { sessionId, at: isoTime(at), step } };
    }),
    ...entry.listenedAt.map((at): TimelineEntry => {
      return { event: 'listener', data: { sessionId, at: isoTime(at) } };
    }),
  ];
  return {
    success: true,
    sessionId,
    timeline: viewEnded(entry).timeline,
    entries: entries.sort((a, b) => Date.parse(a.data.at) - Date.parse(b.data.at)),
    isCut: turns.length >= MAX_TURNS_KEPT,
    lastEventId: null,
  };
}

/** As the session's stream has told it. */
function tellTurn(sessionId: string, { who, from, to }: TurnRecord): TimelineEntry[] {
  return [
    { at: from, active: true },
    { at: to, active: false },
  ].map(({ at, active }) => {
    return { event: 'agent', data: { sessionId, at: isoTime(at), kind: `${who}_speaking`, active } };
  });
}
