import { describe, expect, test } from '@jest/globals';
import { waitFor } from '@greenroom/test-kit';
import type { EndManyArguments, ListFilter } from './index.js';
import { addHost, launch, startId, statusOf, warmUp } from './testing/line.js';
import { liveSession, redis, schema, useRedis } from './testing/steps.js';

const SILENT_MS = 16_000;

useRedis(() => addHost('a', { profiles: ['default', 'other'], capacity: 500 }));

/** All pages together. */
async function endMany(filter: ListFilter, args: Partial<EndManyArguments> = {}) {
  const counts = { matched: 0, asked: 0, fencedRooms: [] as string[] };
  let next: Awaited<ReturnType<typeof schema.sessions.endMatching>>['next'];
  do {
    const page = await schema.sessions.endMatching(
      { filter, dryRun: false, reason: 'admin_ended', by: 'admin', ...args },
      next,
    );
    counts.matched += page.matched;
    counts.asked += page.asked;
    counts.fencedRooms.push(...page.fencedRooms);
    next = page.next;
  } while (next !== undefined);
  return counts;
}

async function matching(filter: ListFilter): Promise<string[]> {
  return (await schema.sessions.list(filter, { limit: 200 })).sessions.map(({ id }) => id);
}

const start = (overrides: Parameters<typeof startId>[0] = {}) => startId({ maxSessions: 500, ...overrides });

describe('the end of all that match', () => {
  test('is the end of exactly those, with the reason that was given', async () => {
    const ann = await start({ userId: 'ann', userName: 'Ann Example' });
    await launch('a');
    const bob = await start({ userId: 'bob', profile: 'other' });
    await launch('a');
    const waiting = await start({ userId: 'cy' });
    await redis.command('HINCRBY', `session:${ann}`, 'assignedAt', -60_000);
    const cases: [ListFilter, string[]][] = [
      [{ status: 'starting' }, [waiting]],
      [{ userId: 'bob' }, [bob]],
      [{ profile: 'other' }, [bob]],
      [{ host: 'a' }, [bob, ann]],
      [{ olderThanMs: 30_000 }, [ann]],
      [{ search: 'EXAMPLE' }, [ann]],
      [{ search: bob.slice(-6) }, [bob]],
      [{ search: '.' }, []],
      [{ host: 'a', status: 'ready', userId: 'ann' }, [ann]],
      [{ host: 'b' }, []],
    ];
    for (const [filter, expected] of cases) {
      expect(await matching(filter)).toEqual(expected);
      expect(await endMany(filter, { dryRun: true })).toMatchObject({ matched: expected.length, asked: 0 });
    }
    expect((await liveSession(ann)).status).toBe('ready');
    expect(await endMany({ host: 'a' }, { detail: 'maintenance' })).toMatchObject({ matched: 2, asked: 2 });
    for (const id of [ann, bob]) {
      expect(await liveSession(id)).toMatchObject({
        status: 'ending',
        endReason: 'admin_ended',
        endedBy: 'admin',
        endDetail: 'maintenance',
        endAtOnce: false,
      });
    }
    expect(await statusOf(waiting)).toBe('starting');
    expect(await endMany({ host: 'a' })).toMatchObject({ matched: 0, asked: 0 });
  });

  test('goes on to the last one, however many there are, and takes those in line and in the pool too', async () => {
    await warmUp('default', 'a');
    for (let i = 0; i < 230; i += 1) await start({ profile: 'other' });
    await startId({ maxSessions: 1 });
    expect(await endMany({})).toMatchObject({ matched: 232, asked: 232 });
    expect(await matching({})).toHaveLength(1);
    expect(await redis.command('ZCARD', 'line')).toBe(0);
    expect(await redis.command('ZCARD', 'spawn:pending')).toBe(0);
  });

  test('lets in who waits in line in the same step', async () => {
    const first = await startId({ maxSessions: 1, userId: 'ann' });
    const next = await startId({ maxSessions: 1 });
    await schema.sessions.admit({ maxSessions: 1 });
    expect(await statusOf(next)).toBe('queued');
    await endMany({ userId: 'ann' });
    expect(await statusOf(first)).toBe('ended');
    expect(await statusOf(next)).toBe('starting');
  });

  test('on a host that cannot be asked is over at once, and their rooms are named', async () => {
    const id = await start();
    await launch('a');
    await redis.command('ZADD', 'hosts', Date.now() - SILENT_MS, 'a');
    expect(await endMany({})).toEqual({ matched: 1, asked: 1, fencedRooms: [`greenroom-${id}`] });
    expect(await statusOf(id)).toBe('ended');
  });
});

test('an end at once tells the owner so, also of an end that is under way, and counts each once', async () => {
  const heard: unknown[] = [];
  await schema.bus.listen('host:a:wake', (message) => void heard.push(message));
  const [one, two] = [await start(), await start()];
  await launch('a');
  await launch('a');
  const end = (atOnce?: boolean) =>
    schema.sessions.requestEnd({ sessionId: one, reason: 'admin_ended', by: 'admin', atOnce });
  await end();
  expect(await liveSession(one)).toMatchObject({ status: 'ending', endAtOnce: false });
  await waitFor(() => heard.length === 1);
  expect(await end(true)).toMatchObject({ status: 'already_ending', session: { endAtOnce: true } });
  await waitFor(() => heard.length === 2);
  expect(heard[1]).toEqual({ kind: 'end', id: one });
  expect(await endMany({}, { atOnce: true })).toMatchObject({ matched: 1, asked: 1 });
  expect(await liveSession(two)).toMatchObject({ status: 'ending', endAtOnce: true });
  expect(await endMany({}, { atOnce: true })).toMatchObject({ matched: 0 });
});
