/** Why a session ended. The first cause wins and is kept; `by` in the record says who asked. */
export const END_REASONS = [
  'caller_ended',
  'caller_left',
  'caller_hung_up',
  'caller_never_joined',
  'admin_ended',
  'agent_ended',
  'agent_exited',
  'agent_crashed',
  'agent_hung',
  'agent_over_limit',
  'agent_vanished',
  'room_finished',
  'dead_air',
  'max_call_duration',
  'agent_frozen',
  'start_failed',
  'session_timeout',
  'line_abandoned',
  'pool_resized',
  'pool_surplus',
  'warm_agent_retired',
  'host_drained',
  'host_lost',
  'no_host',
  'state_lost',
  'stale',
] as const;

export type EndReason = (typeof END_REASONS)[number];

/** Who or what asked for the end. */
export type EndedBy = 'caller' | 'admin' | 'agent' | 'spawner' | 'api' | 'livekit';
