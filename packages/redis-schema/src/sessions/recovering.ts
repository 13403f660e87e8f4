import { type ScriptRunner, unexpected } from '../script-runner.js';
import { encodeSession, parseEnded, parseSession } from '../session-codec.js';
import type { EndedRecord, SessionRecord } from '../session-types.js';
import type { EpochMs } from '../types.js';
import { type LaunchRef, parseSuperseded, type Superseded } from './launch-ref.js';

/** Why a live call gets a new launch; only what is a fault of the agent counts against its restarts. */
export type RestartCause =
  | 'agent_crashed'
  | 'agent_hung'
  | 'agent_over_limit'
  | 'agent_vanished'
  | 'admin_restart';

export type RestartRequestResult =
  | { status: 'restarting' | 'refused'; session: SessionRecord }
  | { status: 'no_host' | 'host_unreachable' | 'not_found' }
  | { status: 'ended'; ended: EndedRecord };

export type RestartResult = { status: 'restarting' | 'exhausted' | 'no_host' } | Superseded;

/**
 * `ending`: its owner finishes the end. `not_lost`: its host was heard meanwhile. `waiting`: another host that could take it
 * is silent, and not lost itself; nothing was changed.
 */
export type MoveResult =
  | { status: 'moved' | 'dropped' | 'ended' | 'ending' | 'not_lost' | 'waiting' }
  | Superseded;

/** A session goes on without the launch, the host, the room or the data that it had. */
export class SessionRecoveries {
  readonly #scripts: ScriptRunner;

  constructor(scripts: ScriptRunner) {
    this.#scripts = scripts;
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
        return parseSuperseded('restart-launch', answer);
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
        return parseSuperseded('move-session', answer);
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
    return parseSuperseded('replace-room', answer);
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
    return parseSuperseded('resolve-quarantine', answer);
  }
}
