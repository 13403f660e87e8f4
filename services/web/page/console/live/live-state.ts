import type {
  AdminSessionView,
  AlarmView,
  HostView,
  LineEntryView,
  PoolView,
  SessionState,
} from '@greenroom/contracts';

/** A session as the stream tells of it. */
export interface LiveSession extends AdminSessionView {
  /** When it became what it is. */
  changedAt: string;
}

export interface LiveLine {
  readonly waiting: number;
  /** The first of them. */
  readonly entries: readonly LineEntryView[];
}

/** All that the stream has told, by id. Each part is another object when something in it has changed, and only then. */
export interface LiveState {
  readonly sessions: ReadonlyMap<string, LiveSession>;
  readonly pools: ReadonlyMap<string, PoolView>;
  readonly hosts: ReadonlyMap<string, HostView>;
  readonly line: LiveLine;
  readonly alarms: ReadonlyMap<string, AlarmView>;
  /** There are more sessions than the newest ones that are here. */
  readonly isCut: boolean;
  /** The data was lost and is being put together again: what is not here may come back. */
  readonly isRecovering: boolean;
}

export const NOTHING: LiveState = {
  sessions: new Map(),
  pools: new Map(),
  hosts: new Map(),
  line: { waiting: 0, entries: [] },
  alarms: new Map(),
  isCut: false,
  isRecovering: false,
};

/** Whether it is an agent that waits for its caller. */
export function isIdleWarm({ prewarmed, assignedAt }: LiveSession): boolean {
  return prewarmed && assignedAt === null;
}

/** Whether something is wrong with it that somebody should look at. */
export function isInTrouble({ status, alarm, error }: LiveSession): boolean {
  return TROUBLED.has(status) || alarm !== undefined || error !== undefined;
}

const TROUBLED: ReadonlySet<SessionState> = new Set(['error', 'restarting']);

/** Since when it has its caller, or has been there where it has none. */
export function sinceOf({ assignedAt, createdAt }: AdminSessionView): string {
  return assignedAt ?? createdAt;
}
