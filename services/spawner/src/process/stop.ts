import { setTimeout } from 'node:timers/promises';
import { killCgroup, listCgroup, mayKillCgroup, removeCgroup } from './cgroup.js';
import { checkRef, type ProcessIdentity, type ProcessRef, refKey } from './identity.js';
import { type ProcessEntry, type ProcessTable, scanProcesses } from './scan.js';
import { sumUsage, type TreeUsage } from './survey.js';
import { assertSafeIdentity, type Signal, signalGroup, signalProcess } from './signal.js';
import { findLeader, findTree } from './tree.js';

/**
 * - `already_gone`: there was nothing to stop. `terminated`: it left in time. `killed`: it had to be killed.
 * - `kill_failed`: something is still there after SIGKILL; an alarm.
 */
export type StopOutcome = 'already_gone' | 'terminated' | 'killed' | 'kill_failed';

export interface StopResult {
  readonly outcome: StopOutcome;
  readonly durationMs: number;
  /** Empty unless the outcome is `kill_failed`; then possibly empty too, if /proc could not be read. */
  readonly survivors: readonly ProcessEntry[];
  /** What the tree used when the stop began; undefined where there was none. */
  readonly usage: TreeUsage | undefined;
}

export interface StopRequest {
  readonly identity: ProcessIdentity;
  /** Processes of this tree seen at earlier times; they are found again even if nothing else ties them to it. */
  readonly remembered?: readonly ProcessRef[];
  /** Time between SIGTERM and SIGKILL. 0 kills at once, for an agent that hangs. */
  readonly graceMs: number;
  /** Cgroup of the launch, where it has one; removed once it is empty. */
  readonly cgroup?: string | undefined;
  /** Called when SIGTERM has been sent for the first time. */
  readonly onTerminated?: () => void;
  /** Ends the grace early. */
  readonly signal?: AbortSignal;
  /** How long SIGKILL may take before the stop counts as failed. */
  readonly killLimitMs?: number;
  /** A clock that never steps, in milliseconds. */
  readonly now?: () => number;
}

const POLL_MS = 25;
/** New children may appear during the grace: look for them this often, and never more than a tenth of the time. */
const RESCAN_MS = 250;
const KILL_LIMIT_MS = 5000;
const FREEZE_LIMIT_MS = 2000;

/**
 * Stops an agent and everything it started: SIGTERM to all, SIGKILL at the end of the grace, until two scans in a row
 * find nothing. Returns as soon as that is so. Stopping what is already gone succeeds.
 *
 * @throws UnsafeTargetError when the identity is pid 1, ourselves, our own group or no number; RangeError for a
 * grace that is no number
 */
export async function stopTree(request: StopRequest): Promise<StopResult> {
  assertSafeIdentity(request.identity);
  if (Number.isNaN(request.graceMs)) throw new RangeError('graceMs is not a number');
  const now = request.now ?? (() => performance.now());
  const startedAt = now();
  const tree = new HuntedTree(request.identity, request.remembered ?? [], request.cgroup);
  const outcome = await stop(tree, request, now);
  if (outcome !== 'kill_failed' && request.cgroup !== undefined) await removeCgroup(request.cgroup);
  const survivors = outcome === 'kill_failed' ? tree.members : [];
  return { outcome, durationMs: now() - startedAt, survivors, usage: tree.firstUsage };
}

/** Halts all that a scan shows of a launch: it begets nothing more until it is stopped for good. */
export function freezeTree(table: ProcessTable, identity: ProcessIdentity): void {
  assertSafeIdentity(identity);
  const tree = findTree(table, { identity, known: new Set(), wasLeaderSeen: false });
  for (const member of tree) signalProcess(member, 'SIGSTOP');
}

async function stop(tree: HuntedTree, request: StopRequest, now: () => number): Promise<StopOutcome> {
  if (await tree.isEmpty()) return 'already_gone';
  const graceEnds = now() + request.graceMs;
  if (now() < graceEnds) {
    tree.terminate();
    request.onTerminated?.();
  }
  if (await leavesInTime(tree, graceEnds, request.signal, now)) return 'terminated';
  const killEnds = now() + (request.killLimitMs ?? KILL_LIMIT_MS);
  return (await killAll(tree, killEnds, now)) ? 'killed' : 'kill_failed';
}

async function leavesInTime(
  tree: HuntedTree,
  graceEnds: number,
  hurry: AbortSignal | undefined,
  now: () => number,
): Promise<boolean> {
  let rescanAt = now() + RESCAN_MS;
  const isOver = () => hurry?.aborted === true || now() >= graceEnds;
  while (!isOver()) {
    tree.terminate();
    await pause(Math.min(POLL_MS, Math.max(0, graceEnds - now())), hurry);
    if (tree.hasKnownMembers()) {
      if (now() < rescanAt) continue;
      const scanStartedAt = now();
      await tree.look();
      rescanAt = now() + Math.max(RESCAN_MS, 10 * (now() - scanStartedAt));
    } else if (await tree.isEmpty()) return true;
  }
  return false;
}

async function killAll(tree: HuntedTree, killEnds: number, now: () => number): Promise<boolean> {
  do {
    await freeze(tree, killEnds, now);
    tree.kill();
    if (!tree.hasKnownMembers() && (await tree.isEmpty())) return true;
    await setTimeout(POLL_MS);
    // What was forked between the last scan and the signal is only found by looking again.
    await tree.look();
  } while (now() < killEnds);
  return tree.isEmpty();
}

/**
 * Stops what forks before it is killed: the dead make room for new ones, the stopped do not. Each round finds fewer that
 * still run. A cgroup needs none of this: its kill hits all at once, forks under way included.
 */
async function freeze(tree: HuntedTree, killEnds: number, now: () => number): Promise<void> {
  if (tree.hasKillableCgroup()) return;
  const until = Math.min(killEnds, now() + FREEZE_LIMIT_MS);
  while (tree.freeze() && now() < until) await tree.look();
}

async function pause(ms: number, hurry: AbortSignal | undefined): Promise<void> {
  await setTimeout(ms, undefined, hurry ? { signal: hurry } : {}).catch(() => {});
}

/** The processes of one launch while they are being stopped. */
class HuntedTree {
  readonly #identity: ProcessIdentity;
  readonly #known: Set<string>;
  readonly #cgroup: string | undefined;
  readonly #asked = new Set<string>();
  readonly #frozen = new Set<string>();
  #wasLeaderSeen = false;
  #members: readonly ProcessEntry[] = [];
  #firstUsage: TreeUsage | undefined;

  constructor(identity: ProcessIdentity, remembered: readonly ProcessRef[], cgroup: string | undefined) {
    this.#identity = identity;
    this.#cgroup = cgroup;
    this.#known = new Set(remembered.map(refKey));
  }

  /** Those found by the last look. */
  get members(): readonly ProcessEntry[] {
    return this.#members;
  }

  get firstUsage(): TreeUsage | undefined {
    return this.#firstUsage;
  }

  /** Scans once. False when something could not be read, so that finding nothing proves nothing. */
  async look(): Promise<boolean> {
    const table = await scanProcesses();
    this.#wasLeaderSeen ||= findLeader(table, this.#identity) !== undefined;
    this.#members = findTree(table, {
      identity: this.#identity,
      known: this.#known,
      wasLeaderSeen: this.#wasLeaderSeen,
      inCgroup: this.#cgroup === undefined ? new Set() : listCgroup(this.#cgroup),
    });
    for (const member of this.#members) this.#known.add(refKey(member));
    if (this.#members.length > 0) this.#firstUsage ??= sumUsage(this.#members);
    return table.isComplete;
  }

  /** One scan can miss a fresh fork, so nothing is gone before two in a row have found nothing. */
  async isEmpty(): Promise<boolean> {
    for (let scan = 0; scan < 2; scan += 1) {
      const isCertain = await this.look();
      if (!isCertain || this.#members.length > 0) return false;
    }
    return true;
  }

  /** Cheap: looks at the members of the last scan only, until one is found alive. */
  hasKnownMembers(): boolean {
    return this.#members.some((it) => {
      const state = checkRef(it);
      return state === 'alive' || state === 'unknown';
    });
  }

  /** SIGTERM to all that have not had it; SIGCONT after it, for a stopped process cannot act on it. */
  terminate(): void {
    const fresh = this.#members.filter((it) => !this.#asked.has(refKey(it)));
    if (fresh.length === 0) return;
    const wasGroupTold = this.#asked.size === 0 && this.#tellGroup('SIGTERM', 'SIGCONT');
    for (const member of fresh) {
      this.#asked.add(refKey(member));
      if (wasGroupTold && member.pgid === this.#identity.pgid) continue;
      signalProcess(member, 'SIGTERM');
      signalProcess(member, 'SIGCONT');
    }
  }

  hasKillableCgroup(): boolean {
    return this.#cgroup !== undefined && mayKillCgroup(this.#cgroup);
  }

  /** SIGSTOP to all that have not had it. False when there was none. */
  freeze(): boolean {
    const fresh = this.#members.filter((it) => !this.#frozen.has(refKey(it)));
    for (const member of fresh) this.#frozen.add(refKey(member));
    const wasGroupTold = fresh.length > 0 && this.#tellGroup('SIGSTOP');
    for (const member of fresh) {
      if (!wasGroupTold || member.pgid !== this.#identity.pgid) signalProcess(member, 'SIGSTOP');
    }
    return fresh.length > 0;
  }

  kill(): void {
    if (this.#cgroup !== undefined) killCgroup(this.#cgroup);
    this.#tellGroup('SIGKILL');
    for (const member of this.#members) signalProcess(member, 'SIGKILL');
  }

  #tellGroup(...signals: Signal[]): boolean {
    return signals.every((signal) => signalGroup(this.#identity, signal) === 'sent');
  }
}
