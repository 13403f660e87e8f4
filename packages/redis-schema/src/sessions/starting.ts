import { LINE_OBSTACLES } from '@greenroom/contracts';
import { RedisUnavailableError } from '../errors.js';
import type { RedisClock } from '../redis-clock.js';
import { type ScriptAnswer, type ScriptRunner, unexpected } from '../script-runner.js';
import { parseSession } from '../session-codec.js';
import { userKeyOf } from '../user-key.js';
import { parseRead } from './reading.js';
import type {
  AskResult,
  InLine,
  LineSummary,
  LookOfApi,
  StartArguments,
  StartResult,
} from './start-types.js';

/** How long a start takes before anything was measured: the caller is told the worst. */
const UNMEASURED_STARTUP_MS = 30_000;

/** How callers get their sessions: at once, or by way of the line. */
export class SessionStarts {
  readonly #scripts: ScriptRunner;
  readonly #clock: RedisClock;
  readonly #limitMs: number;

  /** @param limitMs how long anybody waits for an answer */
  constructor(scripts: ScriptRunner, { clock, limitMs }: { clock: RedisClock; limitMs: number }) {
    this.#scripts = scripts;
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  /** Gives a caller its own live session, a warm agent, or lists a launch. One round trip. */
  async start(args: StartArguments): Promise<StartResult> {
    let answer = await this.#start(args);
    // Its clock was another one than we thought. By now we know.
    if (answer.status === 'too_late') answer = await this.#start(args);
    switch (answer.status) {
      case 'assigned':
      case 'created':
      case 'existing':
      case 'queued':
        return parseStarted(answer.status, answer);
      case 'at_capacity':
        return { status: 'at_capacity', retryAfterMs: Number(answer.retryAfterMs ?? UNMEASURED_STARTUP_MS) };
      case 'client_limit':
        return { status: 'client_limit', retryAfterMs: UNMEASURED_STARTUP_MS };
      case 'profile_failing':
        return {
          status: 'profile_failing',
          reason: String(answer.reason),
          retryAfterMs: Number(answer.retryAfterMs),
        };
      case 'user_busy':
      case 'unknown_profile':
      case 'no_host':
      case 'idempotency_mismatch':
      case 'session_ended':
        return { status: answer.status };
      case 'too_late':
        throw new RedisUnavailableError('start-session: taken up when nobody waited for it any more');
      default:
        throw unexpected('start-session', answer);
    }
  }

  #start({ userScope, userId, idempotency, ...rest }: StartArguments): Promise<ScriptAnswer> {
    return this.#scripts.run('start-session', {
      ...rest,
      userId,
      userKey: userId === undefined ? undefined : userKeyOf(userScope, userId),
      idempotencyScope: idempotency?.scope,
      idempotencyKey: idempotency?.key,
      bodyHash: idempotency?.bodyHash,
      notAfter: this.#clock.isKnown ? this.#clock.now() + this.#limitMs : undefined,
    });
  }

  /** For a caller in line: reading so is what keeps its place. Where its turn has come, what it has now. */
  async askInLine(sessionId: string): Promise<AskResult> {
    const answer = await this.#scripts.run('ask-in-line', { sessionId });
    if (answer.status === 'queued') return { status: 'queued', ...parseInLine(answer) };
    return parseRead('ask-in-line', answer);
  }

  /**
   * Line to agents, as far as there is room; any number of times is as good as once.
   * @param api by an api, which so says that those in line can ask
   */
  async admit(api: LookOfApi = {}): Promise<LineSummary> {
    const answer = await this.#scripts.run('admit', { ...api });
    return {
      queued: Number(answer.queued),
      expectedTurnMs: Number(answer.expectedTurnMs),
      served: Number(answer.served),
      waitedMs: Number(answer.waitedMs),
      abandoned: Number(answer.abandoned),
      maxSessions: typeof answer.maxSessions === 'number' ? answer.maxSessions : api.maxSessions,
    };
  }
}

function parseStarted(
  status: 'assigned' | 'created' | 'existing' | 'queued',
  answer: ScriptAnswer,
): StartResult {
  const session = parseSession(answer.session);
  if (session.status === 'queued') return { status: 'queued', ...parseInLine(answer) };
  if (status === 'queued') throw unexpected('start-session', answer);
  return {
    status,
    session,
    estimatedWaitMs: estimateWaitMs(answer),
    deployment: typeof answer.deployment === 'string' ? answer.deployment : undefined,
  };
}

function parseInLine(answer: ScriptAnswer): InLine {
  return {
    session: parseSession(answer.session),
    position: Number(answer.position),
    estimatedWaitMs: Number(answer.estimatedWaitMs),
    blockedBy: LINE_OBSTACLES.find((it) => it === answer.blockedBy),
  };
}

/** Measured start time, times the rounds of launches before this one's turn. */
function estimateWaitMs(answer: ScriptAnswer): number {
  const startupMs = typeof answer.startupMs === 'number' ? answer.startupMs : UNMEASURED_STARTUP_MS;
  const parallel = Math.max(1, Number(answer.parallel ?? 1));
  const ahead = Math.max(1, Number(answer.ahead ?? 1));
  return Math.round(startupMs * Math.ceil(ahead / parallel));
}
