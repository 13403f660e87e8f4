import type { EndedBy, EndReason, SessionState } from '@greenroom/contracts';
import type { HostHolder } from '../host-store.js';
import { asList, type ScriptRunner, unexpected } from '../script-runner.js';
import { parseEnded, parseSession } from '../session-codec.js';
import type { EndedRecord, SessionRecord } from '../session-types.js';
import type { ListFilter } from './reading.js';
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
  /** Its processes get no time to leave, also where its end is under way. */
  atOnce?: boolean | undefined;
}

export interface EndManyArguments {
  filter: ListFilter;
  /** Counts, and ends none. */
  dryRun: boolean;
  reason: EndReason;
  by: EndedBy;
  detail?: string | undefined;
  /** Then those whose end is under way match too, unless they were hurried already. */
  atOnce?: boolean | undefined;
}

export interface EndManyResult {
  /** Those that match, and were not ending already. */
  matched: number;
  /** Of these, whose end was begun. */
  asked: number;
  /** Rooms of sessions whose hosts cannot be asked: whoever hears this deletes them. */
  fencedRooms: string[];
  /** There are older ones to look at. */
  next: EndCursor | undefined;
}

/** The session that was looked at last. */
export interface EndCursor {
  score: string;
  id: string;
}

/** One step looks at so many sessions. */
const LOOKED_AT = 200;

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

  /** Asks for the end of those that match, newest first, a number at a time: `next` leads to those that are left. */
  async endMatching(args: EndManyArguments, after?: EndCursor): Promise<EndManyResult> {
    const answer = await this.#scripts.run('end-matching', {
      ...args,
      limit: LOOKED_AT,
      beforeScore: after?.score,
      beforeId: after?.id,
    });
    return {
      matched: Number(answer.matched),
      asked: Number(answer.asked),
      fencedRooms: asList<string>(answer.fenced),
      next: (answer.next as EndCursor | null) ?? undefined,
    };
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
