import type { HostHolder } from '../host-store.js';
import { type ScriptRunner, unexpected } from '../script-runner.js';
import { parseSession } from '../session-codec.js';
import type { SessionRecord } from '../session-types.js';
import { type LaunchRef, parseSuperseded, type Superseded } from './launch-ref.js';

export type ClaimResult =
  | { status: 'claimed'; session: SessionRecord & { launch: string } }
  | { status: 'none'; nextDueMs: number | undefined }
  | { status: 'host_full' };

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

/** The way of a launch on its host, until it is ready and for as long as it lives. */
export class LaunchSteps {
  readonly #scripts: ScriptRunner;
  readonly #holder: HostHolder | undefined;

  /** @param holder the spawner that speaks, where one does */
  constructor(scripts: ScriptRunner, holder: HostHolder | undefined) {
    this.#scripts = scripts;
    this.#holder = holder;
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
    const answer = await this.#scripts.run('claim-launch', { ...args, holder: this.#holder });
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
    return parseSuperseded('commit-launch', answer);
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
        return parseSuperseded('mark-ready', answer);
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
        return parseSuperseded('fail-launch', answer);
    }
  }

  /** Renews the life of every key of a live launch and writes what its health check saw. */
  async renew(
    ref: LaunchRef,
    ttlMs: number,
    health: Record<string, string>,
  ): Promise<{ status: 'ok'; session: SessionRecord } | Superseded> {
    const answer = await this.#scripts.run('renew-session', { ...ref, ttlMs, health });
    if (answer.status === 'ok') return { status: 'ok', session: parseSession(answer.session) };
    return parseSuperseded('renew-session', answer);
  }
}
