import type { LineObstacle } from '@greenroom/contracts';
import { asList } from './script-runner.js';
import type { EpochMs } from './types.js';

/** One caller in the line, as admins see it. */
export interface LineEntry {
  sessionId: string;
  /** From 1. */
  position: number;
  profile: string;
  userId: string | undefined;
  queuedAt: EpochMs;
  /** Nobody who waits for this profile can be served before that is over. */
  blockedBy: LineObstacle | undefined;
}

/** Parses the line as scripts list it. */
export function parseLine(raw: unknown): LineEntry[] {
  return asList<LineEntry>(raw).map(({ sessionId, position, profile, userId, queuedAt, blockedBy }) => ({
    sessionId,
    position,
    profile,
    userId,
    queuedAt,
    blockedBy,
  }));
}
