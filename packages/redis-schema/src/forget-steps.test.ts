import { describe, expect, test } from '@jest/globals';
import {
  call,
  DAY_MS,
  end,
  entryOf,
  FAILURE,
  idsOf,
  keep,
  keys,
  launch,
  OTHER_HOST,
  say,
  spoken,
  startCall,
  useHistory,
} from './testing/history.js';
import { HOST, heartbeat, redis, schema, spawn } from './testing/steps.js';

useHistory();

describe('forgetting a user', () => {
  const everything = async () => {
    const dumps: string[] = [];
    for (const key of await keys('*')) {
      const type = String(await redis.command('TYPE', key));
      const read = {
        string: ['GET', key],
        hash: ['HGETALL', key],
        set: ['SMEMBERS', key],
        list: ['LRANGE', key, 0, -1],
        stream: ['XRANGE', key, '-', '+'],
      };
      const command = read[type as keyof typeof read] ?? ['ZRANGE', key, 0, -1];
      dumps.push(key, JSON.stringify(await redis.command(...(command as [string]))));
    }
    return dumps.join('\n');
  };

  test('removes who it was, what was said and what names it; what happened stays', async () => {
    await keep({ transcriptMs: 60_000 });
    const id = await startCall({ userId: 'ada', userName: 'Ada L', userScope: 'k12345678', key: 'once' });
    const ref = await launch();
    await schema.agents.append(ref, {
      lines: ['Hello Ada'],
      events: [{ type: 'transcript', data: spoken('secret') }],
    });
    await end(ref);
    const other = await call({ userId: 'bob' });
    expect(await everything()).toContain('idempotency:test:once');
    expect(await schema.history.forgetUser('ada')).toEqual({ forgotten: 1, live: 0 });
    const left = await everything();
    for (const word of ['ada', 'Ada', 'secret', 'idempotency', 'k12345678']) expect(left).not.toContain(word);
    expect(await entryOf(id)).toMatchObject({
      forgotten: true,
      userId: undefined,
      endReason: 'caller_ended',
      endDetail: undefined,
      lastLines: [],
    });
    expect(await entryOf(other)).toMatchObject({ userId: 'bob', forgotten: false });
    expect(await idsOf()).toHaveLength(2);
    expect(await idsOf({ userId: 'ada' })).toEqual([]);
    // The entry goes when it would have gone.
    expect(Number(await redis.command('PTTL', `history:${id}`))).toBeGreaterThan(DAY_MS);
    expect(await schema.history.forgetUser('ada')).toEqual({ forgotten: 0, live: 0 });
  });

  test('takes an entry that cannot be read away as a whole', async () => {
    const id = await call({ userId: 'ada' });
    await redis.command('SET', `history:${id}`, '{"userId":"ada"');
    expect(await schema.history.forgetUser('ada')).toEqual({ forgotten: 1, live: 0 });
    expect(await everything()).not.toContain('ada');
    expect(await idsOf()).toEqual([]);
    expect((await heartbeat()).forget).toEqual([id]);
  });

  test('says which keys cannot be read', async () => {
    const unreadable: string[] = [];
    await keep({}, (key) => void unreadable.push(key));
    const id = await call();
    await redis.command('SET', `history:${id}`, '{');
    expect(await schema.history.read(id)).toBeUndefined();
    await idsOf();
    expect(unreadable).toEqual([`history:${id}`, `history:${id}`]);
  });

  test('has each host delete its files, and repeats it until that is done', async () => {
    const id = await startCall({ userId: 'ada' });
    const first = await launch();
    await schema.sessions.restart(first, { cause: 'agent_crashed', maxRestarts: 3, periodMs: 60_000 });
    await end(await launch(OTHER_HOST));
    await schema.history.forgetUser('ada');
    for (const host of [HOST, OTHER_HOST]) expect((await heartbeat(host)).forget).toEqual([id]);
    expect((await heartbeat()).forget).toEqual([id]);
    await schema.hosts.clearForgotten(HOST, [id]);
    expect((await heartbeat()).forget).toEqual([]);
    expect((await heartbeat(OTHER_HOST)).forget).toEqual([id]);
  });

  test('reaches the logs of calls that a full history has no entry of any more', async () => {
    await keep({ historyMax: 1 });
    const lost = await call({ userId: 'ada' });
    await call({ userId: 'bob' });
    expect(await schema.history.read(lost)).toBeUndefined();
    await schema.history.forgetUser('ada');
    for (const host of [HOST, OTHER_HOST]) expect((await heartbeat(host)).forget).toEqual([lost]);
  });

  test('of one client leaves the user of that name of another alone', async () => {
    const mine = await call({ userId: 'ada', userScope: 'k11111111' });
    const theirs = await call({ userId: 'ada', userScope: 'k22222222', key: 'theirs' });
    const open = await call({ userId: 'ada' });
    await schema.history.forgetUser('ada', 'k11111111');
    expect((await entryOf(mine)).forgotten).toBe(true);
    expect((await entryOf(theirs)).forgotten).toBe(false);
    expect(await keys('idempotency*')).toHaveLength(1);
    await schema.history.forgetUser('ada', '');
    expect([(await entryOf(open)).forgotten, (await entryOf(theirs)).forgotten]).toEqual([true, false]);
    expect(await idsOf({ userId: 'ada' })).toEqual([theirs]);
  });

  test('who is in a call: the call goes on, and is forgotten with its end', async () => {
    await keep({ transcriptMs: 60_000 });
    const id = await startCall({ userId: 'ada', userName: 'Ada L', key: 'once' });
    const ref = await launch();
    await say(ref, 'transcript', spoken('secret one'));
    expect(await schema.history.forgetUser('ada')).toEqual({ forgotten: 0, live: 1 });
    expect(await schema.sessions.read(id)).toMatchObject({
      session: { status: 'ready', userId: 'ada', forget: true },
    });
    await say(ref, 'transcript', spoken('secret two'));
    await schema.agents.append(ref, { lines: ['Hello Ada'], events: [] });
    await startCall({ userId: 'ada', key: 'again' });
    await end(ref);
    const left = await everything();
    for (const word of ['ada', 'Ada', 'secret', 'idempotency']) expect(left).not.toContain(word);
    expect(await entryOf(id)).toMatchObject({ forgotten: true, endReason: 'caller_ended' });
    expect((await heartbeat()).forget).toEqual([id]);
  });

  test('whose start has failed: what is still shown of it is stripped', async () => {
    const id = await startCall({ userId: 'ada', userName: 'Ada L' });
    await schema.sessions.failLaunch(await spawn(), { ...FAILURE, lastLines: ['Hello Ada'] });
    await schema.history.forgetUser('ada');
    expect(await everything()).not.toMatch(/ada/i);
    expect(await schema.sessions.read(id)).toMatchObject({
      session: { status: 'error', error: 'It exited.' },
    });
  });

  test('with many calls, in several steps', async () => {
    const many = Array.from({ length: 250 }, (_, n) => `session_${String(n).padStart(24, 'x')}`);
    const json = JSON.stringify({ userId: 'ada', launches: `1@${HOST}` });
    await redis.command('MSET', ...many.flatMap((id) => [`history:${id}`, json]));
    const members = many.flatMap((id, n) => [n + 1, `${id} ${n % 2 ? 'k11111111' : ''}`]);
    await redis.command('ZADD', 'history:user:ada', ...members);
    expect(await schema.history.forgetUser('ada', 'k11111111')).toMatchObject({ forgotten: 125 });
    expect(await schema.history.forgetUser('ada')).toMatchObject({ forgotten: 125 });
    expect((await heartbeat()).forget).toHaveLength(250);
    expect(await keys('history:user:*')).toEqual([]);
  });
});
