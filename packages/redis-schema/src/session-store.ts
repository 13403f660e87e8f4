import { LINE_OBSTACLES } from '@greenroom/contracts';
import { encodeSession, parseEnded, parseSession } from './session-codec.js';
import { asList, type ScriptAnswer, type ScriptRunner, unexpected } from './script-runner.js';
import type {
  AskResult,
  EndArguments,
  EndResult,
  Epoch,
  EpochMs,
  InLine,
  ListFilter,
  ListPage,
  ReadResult,
  RestartRequestResult,
  SessionRecord,
  StartArguments,
  StartResult,
} from './types.js';
import { RedisUnavailableError } from './errors.js';
import type { HashReader } from './hash-reader.js';
import type { HostHolder } from './host-store.js';
import type { RedisClock } from './redis-clock.js';

/** Names the launch that a step speaks for; a step for another launch than the current one changes nothing. */
export interface LaunchRef {
  sessionId: string;
  generation: number;
  launch: string;
}

export type ClaimResult =
  | { status: 'claimed'; session: SessionRecord & { launch: string } }
  | { status: 'none'; nextDueMs: number | undefined }
  | { status: 'host_full' };

/** `superseded` carries the state that the session is in by now, if it still is. */
export type Superseded = { status: 'superseded'; now: string | undefined };

export type FailResult =
  | ((
      | { status: 'retry'; dueInMs: number }
      | { status: 'error' }
      | { status: 'dropped'; heldOffMs: number }
    ) & {
      /** From now on starts of this profile fail fast. */
      breakerOpened?: true;
    })
  | Superseded;

/** Why a live call gets a new launch; only what is a fault of the agent counts against its restarts. */
export type RestartCause =
  | 'agent_crashed'
  | 'agent_hung'
  | 'agent_over_limit'
  | 'agent_vanished'
  | 'admin_restart';

export type RestartResult = { status: 'restarting' | 'exhausted' | 'no_host' } | Superseded;

/**
 * `ending`: its owner finishes the end. `not_lost`: its host was heard meanwhile. `waiting`: another host that could take it
 * is silent, and not lost itself; nothing was changed.
 */
export type MoveResult =
  | { status: 'moved' | 'dropped' | 'ended' | 'ending' | 'not_lost' | 'waiting' }
  | Superseded;

/** How long a start takes before anything was measured: the caller is told the worst. */
const UNMEASURED_STARTUP_MS = 30_000;

export interface SessionStoreOptions {
  readonly clock: RedisClock;
  /** How long anybody waits for an answer. */
  readonly limitMs: number;
  readonly holder?: HostHolder | undefined;
}

/** The life of sessions: one method, one atomic step. */
export class SessionStore {
  readonly #scripts: ScriptRunner;
  readonly #hashes: HashReader;
  readonly #options: SessionStoreOptions;

  constructor(scripts: ScriptRunner, hashes: HashReader, options: SessionStoreOptions) {
    this.#scripts = scripts;
    this.#hashes = hashes;
    this.#options = options;
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
    const { clock, limitMs } = this.#options;
    return this.#scripts.run('start-session', {
      ...rest,
      userId,
      userKey: userId === undefined ? undefined : userKeyOf(userScope, userId),
      idempotencyScope: idempotency?.scope,
      idempotencyKey: idempotency?.key,
      bodyHash: idempotency?.bodyHash,
      notAfter: clock.isKnown ? clock.now() + limitMs : undefined,
    });
  }

  /**
   * What is known of an id: the live session, else what is remembered of its end. One round trip where something is.
   * @throws RedisRecoveringError when it may have been lost with the data
   */
  async read(sessionId: string): Promise<ReadResult> {
    // A host asks by a step, which knows the life of the data.
    if (this.#scripts.isHost) return this.#readByStep(sessionId);
    const [live, ended] = await this.#hashes.readBoth(`session:${sessionId}`, `ended:${sessionId}`);
    if (live !== undefined) return { status: 'live', session: parseSession({ ...live, id: sessionId }) };
    if (ended !== undefined) return { status: 'ended', ended: parseEnded({ ...ended, id: sessionId }) };
    return this.#readByStep(sessionId);
  }

  /** For a caller in line: reading so is what keeps its place. Where its turn has come, what it has now. */
  async askInLine(sessionId: string): Promise<AskResult> {
    const answer = await this.#scripts.run('ask-in-line', { sessionId });
    switch (answer.status) {
      case 'queued':
        return { status: 'queued', ...parseInLine(answer) };
      case 'live':
        return { status: 'live', session: parseSession(answer.session) };
      case 'ended':
        return { status: 'ended', ended: parseEnded(answer.ended) };
      case 'not_found':
        return { status: 'not_found' };
      default:
        throw unexpected('ask-in-line', answer);
    }
  }

  /**
   * Line to agents, as far as there is room; any number of times is as good as once.
   * @param api by an api, which so says that those in line can ask; `unheard` when it had to refuse somebody who did
   */
  async admit(api: { maxSessions?: number; unheard?: boolean } = {}): Promise<{ queued: number }> {
    const answer = await this.#scripts.run('admit', api);
    return { queued: Number(answer.queued) };
  }

  /** Marks the rooms of this deployment, where several share a LiveKit. */
  deployment(): Promise<string | undefined> {
    return this.#hashes.readText('deployment');
  }

  async #readByStep(sessionId: string): Promise<ReadResult> {
    const answer = await this.#scripts.run('read-session', { sessionId });
    switch (answer.status) {
      case 'live':
        return { status: 'live', session: parseSession(answer.session) };
      case 'ended':
        return { status: 'ended', ended: parseEnded(answer.ended) };
      case 'not_found':
        return { status: 'not_found' };
      default:
        throw unexpected('read-session', answer);
    }
  }

  /** The session's hash as it stands, for debugging; empty when there is none. */
  async readRaw(sessionId: string): Promise<Record<string, string>> {
    return (await this.#hashes.read(`session:${sessionId}`)) ?? {};
  }

  /** Asks for the end. The owner hears of it in the same step; nobody waits for a process. */
  async requestEnd(args: EndArguments): Promise<EndResult> {
    const answer = await this.#scripts.run('request-end', { ...args, fromHost: this.#options.holder?.host });
    switch (answer.status) {
      case 'ending':
      case 'already_ending':
      case 'fenced':
      case 'refused':
        return { status: answer.status, session: parseSession(answer.session) };
      case 'ended':
        return { status: 'ended', ended: parseEnded(answer.ended) };
      case 'gone':
      case 'not_found':
        return { status: answer.status };
      default:
        throw unexpected('request-end', answer);
    }
  }

  /**
   * Asks for a new agent for a call. The owner hears of it in the same step; nobody waits for a process.
   * @param launchedBefore one that was launched later is the new agent already
   */
  async requestRestart(
    sessionId: string,
    { launchedBefore }: { launchedBefore?: EpochMs } = {},
  ): Promise<RestartRequestResult> {
    const answer = await this.#scripts.run('request-restart', { sessionId, launchedBefore });
    switch (answer.status) {
      case 'restarting':
      case 'refused':
        return { status: answer.status, session: parseSession(answer.session) };
      case 'ended':
        return { status: 'ended', ended: parseEnded(answer.ended) };
      case 'no_host':
      case 'host_unreachable':
      case 'not_found':
        return { status: answer.status };
      default:
        throw unexpected('request-restart', answer);
    }
  }

  /** Live sessions, newest first. The cursor is opaque; a malformed one reads as the first page. */
  async list(filter: ListFilter, page: { cursor?: string | undefined; limit: number }): Promise<ListPage> {
    const cursor = decodeCursor(page.cursor);
    const answer = await this.#scripts.run('list-sessions', {
      filter,
      limit: page.limit,
      beforeScore: cursor?.score,
      beforeId: cursor?.id,
    });
    const next = answer.next as { score: string; id: string } | null | undefined;
    return {
      sessions: asList(answer.sessions).map(parseSession),
      nextCursor: next ? encodeCursor(next) : undefined,
    };
  }

  /**
   * The host looks for work: it takes the next launch that is due, of the profiles that it runs, callers first. What is
   * better placed with another host is offered to that one; after `nextDueMs` it is anybody's.
   */
  async claim(args: {
    host: string;
    launch: string;
    hostCapacity: number;
    includePool: boolean;
    /** Names; of every profile when it is absent. */
    profiles?: readonly string[] | undefined;
    /** Default spread. */
    placement?: 'spread' | 'pack' | undefined;
    shortOfMemory?: boolean | undefined;
  }): Promise<ClaimResult> {
    const answer = await this.#scripts.run('claim-launch', { ...args, holder: this.#options.holder });
    switch (answer.status) {
      case 'claimed':
        return { status: 'claimed', session: { ...parseSession(answer.session), launch: args.launch } };
      case 'none':
        return {
          status: 'none',
          nextDueMs: typeof answer.nextDueMs === 'number' ? answer.nextDueMs : undefined,
        };
      case 'host_full':
        return { status: 'host_full' };
      default:
        throw unexpected('claim-launch', answer);
    }
  }

  /**
   * LiveKit has lost the room of this launch, or has another in its place. A warm agent is retired in the same step; one
   * that got a caller meanwhile is not.
   */
  async replaceRoom(
    ref: LaunchRef,
    roomSid?: string,
  ): Promise<{ status: 'ok'; session: SessionRecord } | { status: 'retired' } | Superseded> {
    const answer = await this.#scripts.run('replace-room', { ...ref, roomSid });
    if (answer.status === 'ok') return { status: 'ok', session: parseSession(answer.session) };
    if (answer.status === 'retired') return { status: 'retired' };
    return superseded('replace-room', answer);
  }

  /** Records the identity of a process that still waits behind its gate. */
  async commitLaunch(
    ref: LaunchRef,
    facts: {
      pid: number;
      pgid: number;
      startTime: string;
      roomSid: string | undefined;
      logFile: string;
      /** How long the agent's token is good for, from now on. */
      tokenLifeMs?: number;
      /** What the agent is started with. */
      profileVersion?: string;
    },
  ): Promise<{ status: 'ok' } | Superseded> {
    const answer = await this.#scripts.run('commit-launch', { ...ref, ...facts });
    if (answer.status === 'ok') return { status: 'ok' };
    return superseded('commit-launch', answer);
  }

  /**
   * Says that this host has this launch, where the data has begun another life. The session is there afterwards, whatever
   * was lost; a warm agent is in quarantine.
   */
  async publishLaunch(
    ref: LaunchRef,
    host: string,
    session: SessionRecord,
    process: { pid: number; pgid: number; startTime: string } | undefined,
  ): Promise<{ status: 'ok'; session: SessionRecord } | { status: 'superseded' | 'gone' }> {
    const answer = await this.#scripts.run('publish-launch', {
      ...ref,
      host,
      fields: encodeSession(session),
      ...process,
    });
    switch (answer.status) {
      case 'ok':
        return { status: 'ok', session: parseSession(answer.session) };
      case 'superseded':
      case 'gone':
        return { status: answer.status };
      default:
        throw unexpected('publish-launch', answer);
    }
  }

  /** Gives a warm agent in quarantine to the caller in its room, or has it ended where there is none. */
  async resolveQuarantine(
    ref: LaunchRef,
    caller: Partial<Pick<SessionRecord, 'userId' | 'userName' | 'voiceId'>> | undefined,
    sessionTimeoutMs: number,
  ): Promise<{ status: 'ready'; session: SessionRecord } | { status: 'ending' } | Superseded> {
    const answer = await this.#scripts.run('resolve-quarantine', { ...ref, caller, sessionTimeoutMs });
    if (answer.status === 'ready') return { status: 'ready', session: parseSession(answer.session) };
    if (answer.status === 'ending') return { status: 'ending' };
    return superseded('resolve-quarantine', answer);
  }

  /** The agent of this launch is ready. A warm agent that the pool no longer wants is `surplus`: its end has begun. */
  async markReady(
    ref: LaunchRef,
    startupMs: number,
  ): Promise<{ status: 'ready' | 'pooled' | 'surplus' } | Superseded> {
    const answer = await this.#scripts.run('mark-ready', { ...ref, startupMs: Math.round(startupMs) });
    switch (answer.status) {
      case 'ready':
      case 'pooled':
      case 'surplus':
        return { status: answer.status };
      default:
        return superseded('mark-ready', answer);
    }
  }

  /** This launch failed and nothing of it is left. */
  async failLaunch(
    ref: LaunchRef,
    failure: {
      error: string;
      lastLines: string[];
      maxAttempts: number;
      backoffMs: number;
      holdoffBaseMs: number;
      holdoffMaxMs: number;
      /** It speaks against the profile. */
      isAgentsFault?: boolean;
    },
  ): Promise<FailResult> {
    const answer = await this.#scripts.run('fail-launch', {
      ...ref,
      ...failure,
      lastLines: JSON.stringify(failure.lastLines),
    });
    const breaker = answer.breakerOpened === true ? { breakerOpened: true as const } : {};
    switch (answer.status) {
      case 'retry':
        return { status: 'retry', dueInMs: Number(answer.dueInMs), ...breaker };
      case 'error':
        return { status: 'error', ...breaker };
      case 'dropped':
        return { status: 'dropped', heldOffMs: Number(answer.heldOffMs), ...breaker };
      default:
        return superseded('fail-launch', answer);
    }
  }

  /** Nothing of this launch of a live call is left: the call is listed for a new one, unless it had too many. */
  async restart(
    ref: LaunchRef,
    policy: { cause: RestartCause; maxRestarts: number; periodMs: number },
  ): Promise<RestartResult> {
    const answer = await this.#scripts.run('restart-launch', { ...ref, ...policy });
    switch (answer.status) {
      case 'restarting':
      case 'exhausted':
      case 'no_host':
        return { status: answer.status };
      default:
        return superseded('restart-launch', answer);
    }
  }

  /**
   * The session leaves its host for another: `host_lost` asks another host, after LiveKit has shown no agent in the room;
   * `host_drained` the host itself, when nothing of the launch is left. With no other host it ends instead.
   */
  async move(
    ref: LaunchRef,
    from: { host: string; cause: 'host_lost'; lostAfterMs: number } | { host: string; cause: 'host_drained' },
  ): Promise<MoveResult> {
    const answer = await this.#scripts.run('move-session', { ...ref, ...from });
    switch (answer.status) {
      case 'moved':
      case 'dropped':
      case 'ended':
      case 'ending':
      case 'not_lost':
      case 'waiting':
        return { status: answer.status };
      default:
        return superseded('move-session', answer);
    }
  }

  /**
   * Nothing of the session is left on its host: its keys go and its place is free.
   * @param usage bytes and seconds that its tree had used when its end began
   */
  async finishEnd(
    sessionId: string,
    generation: number,
    usage?: { rss: string; cpu: string },
  ): Promise<{ status: 'gone' | 'not_found' } | { status: 'not_ending'; now: string | undefined }> {
    const answer = await this.#scripts.run('finish-end', { usage, sessionId, generation });
    switch (answer.status) {
      case 'gone':
      case 'not_found':
        return { status: answer.status };
      case 'not_ending':
        return { status: 'not_ending', now: answer.now as string | undefined };
      default:
        throw unexpected('finish-end', answer);
    }
  }

  /** Something of an ending session cannot be removed. It stays visible and counted. */
  async raiseAlarm(sessionId: string, generation: number, alarm: string): Promise<void> {
    await this.#scripts.run('raise-alarm', { sessionId, generation, alarm });
  }

  /** Renews the life of every key of a live launch and writes what its health check saw. */
  async renew(
    ref: LaunchRef,
    ttlMs: number,
    health: Record<string, string>,
  ): Promise<{ status: 'ok'; session: SessionRecord } | Superseded> {
    const answer = await this.#scripts.run('renew-session', { ...ref, ttlMs, health });
    if (answer.status === 'ok') return { status: 'ok', session: parseSession(answer.session) };
    return superseded('renew-session', answer);
  }

  /** Repairs every index that disagrees with its hashes; names the sessions whose deadline is over. */
  async sweepIndexes(): Promise<{ repaired: number; overdue: string[]; epoch: Epoch | undefined }> {
    const answer = await this.#scripts.run('sweep-indexes');
    return {
      repaired: Number(answer.repaired),
      overdue: asList<string>(answer.overdue),
      epoch: typeof answer.epoch === 'string' ? answer.epoch : undefined,
    };
  }
}

function superseded(
  name:
    | 'commit-launch'
    | 'mark-ready'
    | 'fail-launch'
    | 'move-session'
    | 'renew-session'
    | 'restart-launch'
    | 'resolve-quarantine'
    | 'replace-room',
  answer: ScriptAnswer,
): Superseded {
  if (answer.status !== 'superseded') throw unexpected(name, answer);
  return { status: 'superseded', now: answer.now as string | undefined };
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

/** `session:user:{…}` of a user: the scope keeps equal ids of different clients apart. Neither part has a `:`. */
export function userKeyOf(scope: string, userId: string): string {
  return scope === '' ? userId : `${scope}:${userId}`;
}

/** Measured start time, times the rounds of launches before this one's turn. */
function estimateWaitMs(answer: ScriptAnswer): number {
  const startupMs = typeof answer.startupMs === 'number' ? answer.startupMs : UNMEASURED_STARTUP_MS;
  const parallel = Math.max(1, Number(answer.parallel ?? 1));
  const ahead = Math.max(1, Number(answer.ahead ?? 1));
  return Math.round(startupMs * Math.ceil(ahead / parallel));
}

export function encodeCursor(cursor: { score: string; id: string }): string {
  return Buffer.from(`${cursor.score} ${cursor.id}`).toString('base64url');
}

export function decodeCursor(cursor: string | undefined): { score: string; id: string } | undefined {
  if (cursor === undefined) return undefined;
  const match = /^(\d{1,16}) (\S+)$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'));
  return match?.[1] !== undefined && match[2] !== undefined ? { score: match[1], id: match[2] } : undefined;
}
