/** Why a pid or group may not be signalled. */
export type UnsafeReason = 'not_a_pid' | 'reserved' | 'own_process' | 'own_group' | 'own_parent';

/** Thrown before a signal that would hit ourselves, pid 1, or nobody in particular. Always a bug of the caller. */
export class UnsafeTargetError extends Error {
  override readonly name = 'UnsafeTargetError';
  constructor(
    readonly reason: UnsafeReason,
    readonly target: unknown,
  ) {
    super(`refusing to signal ${String(target)}: ${reason}`);
  }
}

/** Who we are, so that we never signal ourselves. */
export interface Self {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
}

/**
 * Why `pid` must not be signalled, or undefined. `kill(2)` gives 0, -1 and negative numbers a wide meaning, and
 * `-Number('')` and `-null` become 0, our own group.
 */
export function whyUnsafePid(pid: unknown, self: Self): UnsafeReason | undefined {
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid)) return 'not_a_pid';
  if (pid <= 1) return 'reserved';
  if (pid === self.pid) return 'own_process';
  if (pid === self.ppid) return 'own_parent';
  return undefined;
}

/** Why the group `pgid` must not be signalled, or undefined. */
export function whyUnsafeGroup(pgid: unknown, self: Self): UnsafeReason | undefined {
  if (pgid === self.pgid) return 'own_group';
  return whyUnsafePid(pgid, self);
}
