import type { HashReader } from '../hash-reader.js';
import type { HostHolder } from '../host-store.js';
import { joinStores } from '../join-stores.js';
import type { RedisClock } from '../redis-clock.js';
import type { ScriptRunner } from '../script-runner.js';
import { SessionEnds } from './ending.js';
import { LaunchSteps } from './launching.js';
import { SessionReads } from './reading.js';
import { SessionRecoveries } from './recovering.js';
import { SessionStarts } from './starting.js';

/** The life of sessions: one method, one atomic step. */
export interface SessionStore
  extends Pick<SessionStarts, keyof SessionStarts>,
    Pick<SessionReads, keyof SessionReads>,
    Pick<LaunchSteps, keyof LaunchSteps>,
    Pick<SessionRecoveries, keyof SessionRecoveries>,
    Pick<SessionEnds, keyof SessionEnds> {}

export interface SessionStoreOptions {
  readonly clock: RedisClock;
  /** How long anybody waits for an answer. */
  readonly limitMs: number;
  readonly holder?: HostHolder | undefined;
}

export function createSessionStore(
  scripts: ScriptRunner,
  hashes: HashReader,
  { clock, limitMs, holder }: SessionStoreOptions,
): SessionStore {
  return joinStores(
    new SessionStarts(scripts, { clock, limitMs }),
    new SessionReads(scripts, hashes),
    new LaunchSteps(scripts, holder),
    new SessionRecoveries(scripts),
    new SessionEnds(scripts, holder),
  );
}

export type { ClaimResult, FailResult } from './launching.js';
export type { EndArguments, EndManyArguments, EndManyResult, EndResult } from './ending.js';
export type { LaunchRef, Superseded } from './launch-ref.js';
export type { ListFilter, ListPage, ReadResult } from './reading.js';
export type { MoveResult, RestartCause, RestartRequestResult, RestartResult } from './recovering.js';
