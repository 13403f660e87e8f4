import type { DeadAirSettings } from '@greenroom/contracts';
import type { EpochMs } from './types.js';

/** What a call is heard and ended through. */
export type CallMedium = 'phone' | 'livekit';

/** A call whose silence is watched. */
export interface CallRecord {
  /** Of a LiveKit session its id, of a phone call Telnyx's call_control_id. */
  callId: string;
  medium: CallMedium;
  /** undefined for a phone call that nobody has answered yet. */
  sessionId: string | undefined;
  /** Grows with every change. */
  version: number;
  /** As the rules of `packages/dead-air` left it. */
  state: unknown;
  settings: DeadAirSettings;
  /** What a medium has to know of the call; only its sender understands it. */
  facts: Readonly<Record<string, string>>;
  dueAt: EpochMs | undefined;
  openedAt: EpochMs;
  /** Its session has ended, and all that is left to do is to hang up. */
  isOver: boolean;
}

/** What somebody has to do for a call. Its id is the same however often it is sent. */
export type CallCommand =
  | { kind: 'say'; commandId: string; text: string; purpose: string }
  /** What `of` said is void: it must not be begun, and may be broken off. */
  | { kind: 'unsay'; commandId: string; of: string }
  | { kind: 'end'; commandId: string; reason: string }
  | { kind: 'restart_agent'; commandId: string }
  /** What the telephone network is asked besides; only its sender understands it. */
  | { kind: 'phone'; commandId: string; command: Readonly<Record<string, unknown>> };

/** A command that is sent until somebody confirms it. */
export interface OutboxEntry {
  readonly command: CallCommand;
  readonly createdAt: EpochMs;
  /** How often its sending was begun, this time included. */
  readonly attempts: number;
}

export type CallAction =
  | Exclude<CallCommand, { kind: 'unsay' }>
  | { kind: 'unsay'; commandId: string; again?: true }
  | { kind: 'flag_set' }
  | { kind: 'flag_clear' };

/** What happened, for the session's stream and history. Names and times: never words. */
export interface CallStep {
  name: string;
  detail?: Readonly<Record<string, unknown>> | undefined;
}

/** What a call becomes. */
export interface NextCall {
  state: unknown;
  /** When time itself changes it next; undefined: never. */
  dueAt: EpochMs | undefined;
  actions: readonly CallAction[];
  steps: readonly CallStep[];
  /** Left out, they stay. */
  settings?: DeadAirSettings;
  facts?: Readonly<Record<string, string>>;
}

/** Pure: it is asked again when somebody else has changed the call meanwhile. */
export type ReduceCall = (call: CallRecord) => NextCall | 'unchanged';

export type ChangeResult =
  /** `outbox`: what the asker has to send now, where it watches. */
  | { status: 'changed'; call: CallRecord; outbox: OutboxEntry[] }
  | { status: 'unchanged' | 'duplicate'; call: CallRecord }
  /** It would end a LiveKit call, or take its agent: whoever hears that call has been asked to do it. */
  | { status: 'unheard'; call: CallRecord }
  /** `over`: its session has ended. */
  | { status: 'over' | 'not_found' };

export type OpenCallResult =
  | { status: 'opened' | 'exists'; call: CallRecord }
  /** The session has another call, a phone's. */
  | { status: 'taken'; by: string }
  | { status: 'session_over' };

export interface OpenCallArguments {
  callId: string;
  medium: CallMedium;
  sessionId?: string | undefined;
  state: unknown;
  settings: DeadAirSettings;
  dueAt: EpochMs | undefined;
  facts?: Readonly<Record<string, string>>;
}

export interface ChangeOptions {
  /** Names the event, so that it is taken once, however often it comes. */
  eventId?: string | undefined;
  /** The command that the event proves to have arrived. */
  confirms?: string | undefined;
  /** Since when the caller is there, by telephone: LiveKit does not tell. */
  callerJoinedAt?: EpochMs | undefined;
  /** The host that asks, where it hears the call and has told all of it: it may end it. */
  hearer?: string | undefined;
  /** The call as it was just read: saves a round trip. */
  known?: CallRecord | undefined;
}

export interface DueCalls {
  now: EpochMs;
  /** Whose time has come. */
  calls: CallRecord[];
  /** What is to be sent, of each call in order. */
  outboxes: { call: CallRecord; entries: OutboxEntry[] }[];
  nextDueAt: EpochMs | undefined;
}

/** Told of what this process does to calls, in order to act without a detour. */
export interface CallWatcher {
  /** `outbox`: what is to be sent now. */
  changed(call: CallRecord, outbox: readonly OutboxEntry[]): void;
  /** Something is due then. */
  due(at: EpochMs): void;
}
