import type { EndedBy, EndReason, SessionState } from '@greenroom/contracts';
import type { HostHolder } from '../host-store.js';
import { asList, type ScriptRunner, unexpected } from '../script-runner.js';
import { parseEnded, parseSession } from '../session-codec.js';
import type { EndedRecord, SessionRecord } from '../session-types.js';
import type { Epoch } from '../types.js';

export interface EndArguments {
  sessionId: string;
  reason: EndReason;
  by: EndedBy;
  detail?: string | undefined;
  /** Refuse unless the session is in this state: retiring a warm agent must not end a call that just got it. */
  expectStatus?: SessionState | undefined;
  /** Refuse unless this launch is the current one. */
  expectGeneration?: number | undefined;
  /** Refuse unless the session still has this launch. */
  expectLaunch?: string | undefined;
  /** Refuse unless the deadline is really over, by the clock of Redis. */
  onlyPastDeadline?: boolean | undefined;
}

export type EndResult =
  /** `ending`: the owner was told. `already_ending`: somebody was first. `gone`: nobody had claimed it, it is over. */
  | { status: 'ending' | 'already_ending'; session: SessionRecord }
  /** Its host cannot be asked: the session is over, and whoever hears this deletes its room. */
  | { status: 'fenced'; session: SessionRecord }
  | { status: 'gone' }
  | { status: 'refused'; session: SessionRecord }
  | { status: 'ended'; ended: EndedRecord }
  | { status: 'not_found' };

/** How sessions end, and what is found that has ended without a word. */
export class SessionEnds {
  readonly #scripts: ScriptRunner;
  readonly #holder: HostHolder | undefined;

  /** @param holder the spawner that speaks, where one does */
  constructor(scripts: ScriptRunner, holder: HostHolder | undefined) {
    this.#scripts = scripts;
    this.#holder = holder;
  }

  /** Asks for the end. The owner hears of it in the same step; nobody waits for a process. */
  async requestEnd(args: EndArguments): Promise<EndResult> {
    const answer = await this.#scripts.run('request-end', { ...args, fromHost: this.#holder?.host });
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
