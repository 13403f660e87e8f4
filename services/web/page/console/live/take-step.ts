import type { SessionStepEvent } from '@greenroom/contracts';
import type { LiveSession } from './live-state.js';

/** The steps with which a session begins to be. */
const FIRST_STEPS: ReadonlySet<string> = new Set(['starting', 'queued', 'recovered']);

/**
 * The session after a step of it; undefined when it is gone. One that is not known is only begun by its first step: of
 * another, nobody could say when it began (the snapshot was cut).
 */
export function takeStep(before: LiveSession | undefined, step: SessionStepEvent): LiveSession | undefined {
  const { status } = step;
  // A start that failed is over with that, and is kept for a while all the same, with its reason.
  if (status === 'gone' && before?.status === 'error' && step.detail?.['endReason'] === 'start_failed')
    return before;
  if (status === 'gone' || step.step === 'became') return undefined;
  if (!before && !FIRST_STEPS.has(step.step)) return undefined;
  const session: LiveSession = { ...(before ?? newSession(step, status)), ...notedIn(step), status };
  session.profile = step.profile;
  session.host = step.host ?? null;
  if (step.userId !== undefined) session.userId = step.userId;
  if (step.userName !== undefined) session.userName = step.userName;
  if (before?.status !== status) session.changedAt = step.at;
  // It has its caller: with its turn in line, or when a warm agent was given away.
  if (!step.warm && status !== 'queued') session.assignedAt ??= step.at;
  return session;
}

function newSession(
  { sessionId, at, profile, warm }: SessionStepEvent,
  status: LiveSession['status'],
): LiveSession {
  return {
    sessionId,
    status,
    profile,
    prewarmed: warm,
    userId: null,
    userName: null,
    voiceId: null,
    roomName: null,
    createdAt: at,
    changedAt: at,
    readyAt: null,
    startupTime: null,
    restarts: 0,
    host: null,
    agentPid: null,
    agentPgid: null,
    generation: 0,
    logFile: null,
    assignedAt: null,
    callerJoinedAt: null,
    deadlineAt: null,
    attempts: 0,
  };
}

/** What the step itself says of the session. */
function notedIn({ step, at, detail = {} }: SessionStepEvent): Partial<LiveSession> {
  const { startupMs, restarts, generation, pid, attempt, position, error, alarm, reason } = detail;
  return {
    ...(typeof startupMs === 'number' && { startupTime: startupMs }),
    ...(typeof restarts === 'number' && { restarts }),
    ...(typeof generation === 'number' && { generation }),
    ...(typeof pid === 'number' && { agentPid: pid }),
    ...(typeof attempt === 'number' && { attempts: attempt }),
    ...(typeof position === 'number' && { position }),
    ...(typeof error === 'string' && { error }),
    ...(typeof alarm === 'string' && { alarm }),
    ...(typeof reason === 'string' &&
      step === 'ending' && { endReason: reason as LiveSession['endReason'] & string }),
    ...(step === 'ready' && { readyAt: at }),
    ...(step === 'caller_joined' && { callerJoinedAt: at, callerLeftAt: undefined }),
    ...(step === 'caller_left' && { callerLeftAt: at }),
  } as Partial<LiveSession>;
}
