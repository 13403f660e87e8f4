/**
 * The life of a session. `packages/redis-schema` writes this very table in front of its Lua steps, so that code,
 * scripts and tests cannot disagree about what is legal.
 *
 * - `queued` waits in line for capacity, `starting` has no ready agent yet
 * - `pooled` is a warm agent that belongs to nobody, `ready` is a caller with an agent
 * - `restarting` is a new launch of a live session
 * - `ending` is asked to end and not yet verified gone; nothing leaves it but `gone`
 * - `error` is a start that failed for good, kept for a while with its reason and nothing else
 * - `gone` is never stored as a status: it is the absence of the session, remembered for an hour
 */
export const SESSION_STATES = [
  'queued',
  'starting',
  'pooled',
  'ready',
  'restarting',
  'ending',
  'error',
  'gone',
] as const;

export type SessionState = (typeof SESSION_STATES)[number];

export const LEGAL_TRANSITIONS: Readonly<Record<SessionState, readonly SessionState[]>> = {
  queued: ['starting', 'ready', 'ending'],
  starting: ['ready', 'pooled', 'error', 'ending'],
  pooled: ['ready', 'ending'],
  ready: ['restarting', 'ending'],
  restarting: ['ready', 'error', 'ending'],
  ending: ['gone'],
  error: ['gone'],
  gone: [],
};

export function isLegalTransition(from: SessionState, to: SessionState): boolean {
  return LEGAL_TRANSITIONS[from].includes(to);
}

/** Whether an agent is started for a caller or ahead of time. Decides which readiness patterns apply. */
export type AgentMode = 'user' | 'prewarm';
