import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findFaketimeLibrary } from './find-binary.js';
import { makeTempDir } from './temp-dir.js';

export interface FakeClock {
  /** For the programs whose wall clock it is to be; what they start has the real one, unless it is passed on. */
  readonly env: Readonly<Record<string, string>>;
  /** Moves the clock by so much from the real one, within a second; monotonic clocks stay, as in life. */
  set(offsetSeconds: number): void;
  remove(): Promise<void>;
}

/** A wall clock that a test may set, by libfaketime. No namespace moves wall time. */
export async function makeFakeClock(): Promise<FakeClock> {
  const dir = await makeTempDir('clock');
  const file = join(dir.path, 'offset');
  const set = (offsetSeconds: number): void =>
    writeFileSync(file, `${offsetSeconds < 0 ? '' : '+'}${offsetSeconds}\n`);
  set(0);
  return {
    env: {
      LD_PRELOAD: findFaketimeLibrary(),
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    set,
    remove: dir.remove,
  };
}
