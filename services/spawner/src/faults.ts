import type { SpawnerConfig } from './config.js';
import { dieNow } from './process/index.js';

/**
 * Where FAULT_AT may kill the spawner, in the order of a session's life:
 * - `claimed`: Redis has given us the launch, nothing was done yet. `spawned`: the process waits at its gate.
 * - `recorded`: it is on disk. `committed`: Redis has it too. `released`: it was let through the gate just now.
 * - `killing`: a tree has been sent SIGTERM.
 */
export type FaultPoint = NonNullable<SpawnerConfig['faultAt']>;

/** Lets tests kill this spawner between two steps where no signal from outside would ever hit. */
export interface Faults {
  /** Does nothing unless this is the point that FAULT_AT names; then it does not return. */
  reach(point: FaultPoint): void;
}

export function createFaults(faultAt: FaultPoint | undefined): Faults {
  return {
    reach(point) {
      if (point === faultAt) dieNow();
    },
  };
}
