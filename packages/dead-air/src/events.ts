/**
 * What may happen in a call. Every `at` is the time at which it happened, in ms since 1970 by Redis's clock. Events may
 * come late, doubled and in any order. Those that one reader found together, in order, may carry the same time.
 */
export type CallEvent =
  /** Both sides are there: from here on silence counts. */
  | { kind: 'call_started'; at: number }
  /** Something is played to the caller. `commandId`: it is what that `say` asked for. */
  | { kind: 'playback_started' | 'playback_ended'; id: string; at: number; commandId?: string }
  | { kind: 'agent_speaking' | 'caller_speaking'; active: boolean; at: number }
  /** Words of the caller, never those of the agent. Until they are `final` they may still change. */
  | { kind: 'caller_said'; text: string; final: boolean; at: number }
  /** A tool call or a transfer is announced as running. */
  | { kind: 'work_started' | 'work_ended'; id: string; at: number }
  /** Another agent process has the call: what the old one played or ran is over. */
  | { kind: 'agent_changed'; at: number }
  /** The caller is being led to the agent over another leg of the call, and has been. */
  | { kind: 'link_started' | 'link_made'; at: number }
  /** That leg has ended before: the two will never hear each other. */
  | { kind: 'link_failed'; at: number; cause: string }
  | { kind: 'settings_changed'; at: number }
  /** Nothing but the time of day. Only this makes the machine speak or end a call. */
  | { kind: 'time'; at: number }
  | { kind: 'call_ended'; at: number }
  /** A command was refused for good; a question of that kind was none. `isUnsent`: nobody could be asked in its time. */
  | { kind: 'command_failed'; commandId: string; at: number; isUnsent?: true };

export type SpeechPurpose = 'checkin' | 'goodbye' | 'apology';

/** Why the machine ends a call. */
export type EndOfCall = 'dead_air' | 'max_call_duration' | 'agent_frozen' | 'start_failed';

/** What is to be done now. A command id is unique within its call, and the same if the step is computed again. */
export type CallAction =
  | { kind: 'say'; commandId: string; text: string; purpose: SpeechPurpose }
  | { kind: 'end'; commandId: string; reason: EndOfCall }
  | { kind: 'restart_agent'; commandId: string }
  /** The caller's words, or work that began, made this `say` void: stop it if it plays, forget it if it does not. `again`: it has begun all the same. */
  | { kind: 'unsay'; commandId: string; again?: true }
  /** The agent is done speaking: for agents that watch the flag themselves. */
  | { kind: 'flag_set' }
  | { kind: 'flag_clear' };

/** What happened, for the session's stream and history. Never what the caller said. */
export interface CallStep {
  name:
    | 'call_started'
    | 'checkin'
    | 'checkin_spoken'
    | 'not_said'
    | 'caller_back'
    | 'hold_on'
    | 'goodbye'
    | 'goodbye_spoken'
    | 'agent_frozen'
    | 'transfer_failed'
    | 'apology'
    | 'apology_spoken'
    | 'call_ending'
    | 'settings_changed'
    | 'call_ended';
  detail: Record<string, string | number>;
}
