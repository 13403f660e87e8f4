import TestSequencer from '@jest/test-sequencer';

/**
 * The files that take longest, by seconds alone on two cores. On a fresh clone jest knows no times and goes by the size of
 * a file: one of these that began last would have the machine to itself for a minute.
 */
const LONGEST = {
  'services/agent/src/agent.test.ts': 101,
  'tests/faults/supervision.test.ts': 70,
  'tests/pool.test.ts': 63,
  'tests/dead-air.test.ts': 59,
  'tests/restart.test.ts': 55,
  'tests/sweep.test.ts': 49,
  'tests/faults/recovery.test.ts': 45,
  'tests/alone/call.test.ts': 46,
  'services/api/src/calls/due-watcher.test.ts': 43,
  'services/agent/src/speech/speech.test.ts': 40,
  'tests/faults/agents.test.ts': 35,
  'tests/alone/dead-air.test.ts': 35,
  'tests/listen-in.test.ts': 30,
  'tests/ends.test.ts': 30,
  'tests/starts.test.ts': 30,
};

/** What is known to take long goes first, the rest as jest orders it. */
export default class LongestFirst extends TestSequencer {
  async sort(tests) {
    return [...(await super.sort(tests))].sort((a, b) => secondsOf(b) - secondsOf(a));
  }
}

function secondsOf({ path }) {
  const known = Object.keys(LONGEST).find((name) => path.endsWith(`/${name}`));
  return known === undefined ? 0 : LONGEST[known];
}
