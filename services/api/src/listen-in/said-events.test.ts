import type { RedisSchema, StreamMessage } from '@greenroom/redis-schema';
import { expect, test } from '@jest/globals';
import { type SaidOutcome, SaidEvents } from './said-events.js';

type Said = { active: boolean; cut?: boolean };

/** What becomes of the order `a`, of which these were told, a message each or all in one. */
async function outcomeOf(said: readonly Said[], inOneMessage = false): Promise<SaidOutcome> {
  const events = new SaidEvents();
  let tell: (message: StreamMessage) => void = () => undefined;
  const redis = {
    events: {
      follow: async (_id: string, onMessage: typeof tell) => {
        tell = onMessage;
        return async () => undefined;
      },
    },
  } as unknown as RedisSchema;
  await events.follow(redis, 'session_a');
  const entries = said.map((data) => ({
    isAgents: true,
    type: 'said',
    status: 'ready',
    data: { commandId: 'a', ...data },
  }));
  for (const part of inOneMessage ? [entries] : entries.map((it) => [it]))
    tell({ after: '0-0', last: '1-0', entries: part, ended: undefined } as unknown as StreamMessage);
  return events.endOf('a', 50);
}

const BEGUN = { active: true };
const DONE = { active: false };
const CUT = { active: false, cut: true };

test.each<[string, Said[], SaidOutcome]>([
  ['begun and done', [BEGUN, DONE], 'heard'],
  ['begun and broken off', [BEGUN, CUT], 'not_said'],
  ['done, and never begun', [DONE], 'not_said'],
  ['begun only', [BEGUN], 'unknown'],
  ['told twice, and heard', [BEGUN, BEGUN, DONE, DONE], 'heard'],
  // An agent that was told twice while its caller spoke.
  ['left aside, twice', [DONE, DONE], 'not_said'],
  ['broken off, and reported once more', [BEGUN, CUT, DONE], 'not_said'],
])('an announcement that is %s', async (_how, said, outcome) => {
  expect(await outcomeOf(said)).toBe(outcome);
  expect(await outcomeOf(said, true)).toBe(outcome);
});
