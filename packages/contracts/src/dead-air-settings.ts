/**
 * When silence in a call is asked about, and when it ends the call. Whatever is left out has a default of its own. The
 * names are those of the profile and of the HTTP API; times are seconds.
 */
export interface DeadAirSettings {
  /** Silence until the agent asks whether somebody is there. */
  silence_timeout_normal?: number;
  /** The same after a "hold on", until the caller's next words. */
  silence_timeout_hold_on?: number;
  /** What else means "hold on", in the caller's language, besides the English phrases. */
  hold_on_phrases?: string[];
  /** Questions before the call is ended; 0 ends it without asking. */
  max_checkins_before_disconnect?: number;
  /** Longest phone call. */
  max_call_duration?: number;
  /** What is asked; of a list one after the other. */
  checkin_message?: string | string[];
  /** Where it is heard, spoken by somebody; played on the telephone in place of the text. */
  checkin_audio_url?: string;
  /** From the end of the last question until the call is ended. */
  disconnect_delay?: number;
  /** Said before the call is ended. */
  goodbye_message?: string;
  /** From the caller's last words until an agent that says nothing counts as frozen. */
  agent_response_timeout?: number;
  /** What becomes of a call whose agent is frozen: a new agent in the same room, or an apology and the end. */
  frozen_agent_action?: FrozenAgentAction;
  /** That apology. */
  apology_message?: string;
}

export type FrozenAgentAction = 'restart' | 'end';
