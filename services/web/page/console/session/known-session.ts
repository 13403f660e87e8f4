import type {
  AdminSessionView,
  EndedSessionView,
  SessionTimelineView,
  TimelineEntry,
} from '@greenroom/contracts';
import { ApiProblem } from '../../shared/ask.js';

export type KnownSession =
  | { readonly kind: 'loading' }
  | { readonly kind: 'unknown'; readonly why: string }
  | { readonly kind: 'live'; readonly view: AdminSessionView; readonly timeline: SessionTimelineView }
  | { readonly kind: 'over'; readonly view: EndedSessionView; readonly timeline: SessionTimelineView };

/** As many as the api keeps of one session. */
const MOST_ENTRIES = 2_000;

/** What its stream has told since. */
export function withEntries(known: KnownSession, entries: readonly TimelineEntry[]): KnownSession {
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

/** A page that shows something goes on showing it while nobody can be asked; what is refused for good is said. */
export function afterFailure(known: KnownSession, error: unknown): KnownSession {
  if (known.kind !== 'unknown' && known.kind !== 'loading' && isPassing(error)) return known;
  return { kind: 'unknown', why: error instanceof Error ? error.message : String(error) };
}

/** Whether asking again may help: no answer at all, 429 and 5xx. */
export function isPassing(error: unknown): boolean {
  return error instanceof ApiProblem && (error.status === 0 || error.status === 429 || error.status >= 500);
}
