import { describe, expect, test } from '@jest/globals';
import {
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
  warmAgent,
} from './testing/history.js';
import { HOST, PROCESS, redis, schema, spawn } from './testing/steps.js';

useHistory();

describe('an ended call', () => {
  test('has an entry with what happened, in order, and what its agent used and printed at last', async () => {
    const id = await startCall({ userId: 'ada', userName: 'Ada', userScope: 'k12345678' });
    const first = await launch();
    await say(first, 'agent_speaking', { active: false });
    expect(await schema.sessions.read(id)).toMatchObject({ session: { firstAudioAt: undefined } });
    await schema.agents.append(first, { lines: ['one', 'two'], events: [] });
    await schema.sessions.renew(first, 60_000, { rss: '5000', cpu: '1.50' });
    await schema.sessions.renew(first, 60_000, { rss: '3000', cpu: '2.00' });
    await schema.sessions.restart(first, { cause: 'agent_crashed', maxRestarts: 3, periodMs: 60_000 });
    const second = await launch(OTHER_HOST);
    await say(second, 'agent_speaking', { active: true });
    await say(second, 'agent_speaking', { active: true });
    await schema.sessions.renew(second, 60_000, { rss: '4000', cpu: '0.25' });
    await schema.sessions.requestEnd({ sessionId: id, reason: 'admin_ended', by: 'admin', detail: 'why' });
    await schema.sessions.finishEnd(id, second.generation, { rss: '4500', cpu: '0.50' });
    const entry = await entryOf(id);
    expect(entry).toMatchObject({
      id,
      userId: 'ada',
      userKey: 'k12345678:ada',
      userName: 'Ada',
      profile: 'default',
      prewarmed: false,
      restarts: 1,
      endReason: 'admin_ended',
      endedBy: 'admin',
      endDetail: 'why',
      peakRssBytes: 5000,
      cpuSeconds: 2.5,
      lastLines: ['one', 'two'],
      forgotten: false,
      error: undefined,
      joinedAt: undefined,
      launches: [
        { generation: 1, host: HOST },
        { generation: 2, host: OTHER_HOST },
      ],
    });
    const { askedAt, spawnedAt, readyAt, firstAudioAt, endRequestedAt, endedAt } = entry;
    const times = [askedAt, spawnedAt, readyAt, firstAudioAt, endRequestedAt, endedAt];
    expect(times.every((at) => Number.isSafeInteger(at))).toBe(true);
    expect(times).toEqual([...times].sort((a, b) => Number(a) - Number(b)));
    expect(schema.clock.now() - Number(askedAt)).toBeLessThan(10_000);
  });

  test('keeps the times of its first launch when a later one is ready', async () => {
    const id = await startCall();
    const first = await launch();
    await redis.command('HSET', `session:${id}`, 'spawnedAt', 1000, 'firstReadyAt', 2000);
    await schema.sessions.restart(first, { cause: 'agent_crashed', maxRestarts: 3, periodMs: 60_000 });
    await end(await launch());
    expect(await entryOf(id)).toMatchObject({ spawnedAt: 1000, readyAt: 2000 });
  });

  test('that had a warm agent: the agent was ready before it was asked for, and only its caller hears it speak', async () => {
    const warm = await warmAgent();
    await say(warm, 'agent_speaking', { active: true });
    const id = await startCall({ userId: 'ada' });
    expect(id).toBe(warm.sessionId);
    expect((await schema.sessions.read(id)) as object).toMatchObject({
      session: { firstAudioAt: undefined },
    });
    await say(warm, 'agent_speaking', { active: true });
    await end(warm);
    const entry = await entryOf(id);
    expect(entry).toMatchObject({ prewarmed: true, userId: 'ada' });
    expect(Number(entry.readyAt)).toBeLessThanOrEqual(Number(entry.askedAt));
    expect(Number(entry.firstAudioAt)).toBeGreaterThanOrEqual(Number(entry.askedAt));
  });

  test.each([['a warm agent that nobody got', async () => (await warmAgent()).sessionId]])(
    'and not %s',
    async (_, begin) => {
      const id = await begin();
      await schema.sessions.requestEnd({ sessionId: id, reason: 'warm_agent_retired', by: 'spawner' });
      await schema.sessions.finishEnd(id, 1);
      expect(await schema.sessions.read(id)).toMatchObject({
        status: 'ended',
        ended: { endReason: 'warm_agent_retired' },
      });
      expect(await idsOf()).toEqual([]);
    },
  );

  test('that nobody had claimed, that failed to start, or whose host was silent, has its entry too', async () => {
    const unclaimed = await startCall();
    await schema.sessions.requestEnd({ sessionId: unclaimed, reason: 'caller_ended', by: 'caller' });
    const failed = await startCall({ userId: 'ada' });
    const lastLines = ['x'.repeat(299) + '€€', 'last words'];
    await schema.sessions.failLaunch(await spawn(), { ...FAILURE, lastLines });
    const fenced = await startCall();
    await launch(OTHER_HOST);
    await redis.command('ZADD', 'hosts', 1, OTHER_HOST);
    expect(
      await schema.sessions.requestEnd({ sessionId: fenced, reason: 'caller_ended', by: 'caller' }),
    ).toMatchObject({
      status: 'fenced',
    });
    expect((await idsOf()).sort()).toEqual([unclaimed, failed, fenced].sort());
    expect(await entryOf(unclaimed)).toMatchObject({
      endReason: 'caller_ended',
      spawnedAt: undefined,
      launches: [],
    });
    expect(await entryOf(failed)).toMatchObject({
      endReason: 'start_failed',
      endedBy: 'spawner',
      error: 'It exited.',
      userId: 'ada',
      readyAt: undefined,
      lastLines: [`${'x'.repeat(299)}…`, 'last words'],
      launches: [{ generation: 1, host: HOST }],
    });
    // It is still shown for a while; when that is over, nothing is written again.
    await schema.sessions.requestEnd({ sessionId: failed, reason: 'admin_ended', by: 'admin' });
    expect(await entryOf(failed)).toMatchObject({ endReason: 'start_failed' });
  });

  /** A caller who waits until a warm agent is theirs. @returns the id in line, and the agent's */
  async function waitForWarm(inLine: (id: string) => Promise<unknown> = async () => undefined) {
    await startCall();
    const before = await launch();
    const queued = await startCall({ userId: 'ada', maxSessions: 1, queueMax: 5 });
    const warm = await warmAgent();
    await inLine(queued);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await end(before);
    expect(await schema.sessions.read(queued)).toMatchObject({
      session: { id: warm.sessionId, status: 'ready' },
    });
    return { queued, warm };
  }

  test('that began in line: when it was asked for and waited, found under the id that it had there', async () => {
    const { queued, warm } = await waitForWarm();
    await end(warm);
    const entry = await entryOf(queued);
    expect(entry).toMatchObject({ id: warm.sessionId, userId: 'ada', prewarmed: true });
    expect(entry.queuedAt).toBe(entry.askedAt);
    expect(Number(entry.assignedAt)).toBeGreaterThan(Number(entry.askedAt));
    expect(Number(await redis.command('PTTL', `becomes:${queued}`))).toBeGreaterThan(29 * DAY_MS);
    expect(await idsOf({ userId: 'ada' })).toEqual([warm.sessionId]);
  });

  test('of a user who was to be forgotten while in line', async () => {
    const { warm } = await waitForWarm(() => schema.history.forgetUser('ada'));
    await end(warm);
    expect(await entryOf(warm.sessionId)).toMatchObject({ forgotten: true, userId: undefined });
  });

  test('of a caller who has left the line', async () => {
    await startCall();
    await launch();
    const queued = await startCall({ userId: 'ada', maxSessions: 1, queueMax: 5 });
    await schema.sessions.requestEnd({ sessionId: queued, reason: 'caller_ended', by: 'caller' });
    const entry = await entryOf(queued);
    expect(entry).toMatchObject({ endReason: 'caller_ended', spawnedAt: undefined, launches: [] });
    expect(Number(entry.queuedAt)).toBeGreaterThan(0);
  });

  test('is written once, though the step is asked again because its answer was lost', async () => {
    await startCall();
    const ref = await launch();
    await end(ref);
    const before = await entryOf(ref.sessionId);
    await schema.sessions.finishEnd(ref.sessionId, ref.generation, { rss: '1', cpu: '1' });
    expect(await entryOf(ref.sessionId)).toEqual(before);
    expect(await schema.health.read()).toMatchObject({ totals: { totalEnded: 1 } });
  });

  test('survives a loss of data while it was live: its host knows the times and where the log lies', async () => {
    const id = await startCall({ userId: 'ada' });
    const ref = await launch();
    await say(ref, 'agent_speaking', { active: true });
    await schema.sessions.renew(ref, 60_000, { rss: '7000', cpu: '1.00' });
    const found = await schema.sessions.read(id);
    if (found.status !== 'live') throw new Error(found.status);
    await redis.command('DEL', `session:${id}`, 'sessions:index');
    await schema.sessions.publishLaunch(ref, HOST, found.session, PROCESS);
    await schema.sessions.requestEnd({ sessionId: id, reason: 'caller_ended', by: 'caller' });
    await schema.sessions.finishEnd(id, ref.generation);
    const { askedAt, spawnedAt, firstAudioAt } = found.session;
    expect(await entryOf(id)).toMatchObject({
      askedAt,
      spawnedAt,
      firstAudioAt,
      peakRssBytes: 7000,
      cpuSeconds: 1,
      launches: [{ generation: 1, host: HOST }],
    });
  });
});

describe('transcripts', () => {
  async function talk(): Promise<string> {
    const id = await startCall({ userId: 'ada' });
    const ref = await launch();
    await say(ref, 'transcript', spoken('my kn', false));
    await say(ref, 'transcript', spoken('my knee hurts'));
    await say(ref, 'transcript', { role: 'agent', text: 'which "one"?', final: true });
    await end(ref);
    return id;
  }

  test('go with the session where none is to be kept', async () => {
    const id = await talk();
    expect(await schema.history.transcript(id, 0, 10)).toBeUndefined();
    for (const key of await keys('*')) {
      const type = await redis.command('TYPE', key);
      const dump = type === 'string' ? await redis.command('GET', key) : '';
      expect(String(dump)).not.toContain('knee');
    }
    expect(await keys('{stream,transcript}*')).toEqual([]);
  });

  test('are kept, final lines only and in order, for as long as they are to be and no longer', async () => {
    await keep({ transcriptMs: 60_000 });
    const id = await talk();
    const kept = await schema.history.transcript(id, 0, 10);
    expect(kept).toMatchObject({
      next: undefined,
      lines: [
        { role: 'user', text: 'my knee hurts' },
        { role: 'agent', text: 'which "one"?' },
      ],
    });
    expect(Math.abs(Number(kept?.lines[0]?.at) - schema.clock.now())).toBeLessThan(10_000);
    expect(await schema.history.transcript(id, 1, 10)).toMatchObject({ lines: [{ role: 'agent' }] });
    const ttlMs = Number(await redis.command('PTTL', `transcript:${id}`));
    expect(ttlMs).toBeGreaterThan(0);
    expect(ttlMs).toBeLessThanOrEqual(60_000);
    expect(await entryOf(id)).toMatchObject({ userId: 'ada' });
  });

  test('that have a spoilt line are read without it, and the others keep their numbers', async () => {
    const unreadable: string[] = [];
    await keep({ transcriptMs: 60_000 }, (key) => unreadable.push(key));
    const id = await talk();
    const key = `transcript:${id}`;
    await redis.command(
      'LINSERT',
      key,
      'BEFORE',
      String(await redis.command('LINDEX', key, 1)),
      '1 {"role":',
    );
    for (const spoilt of ['', 'x {"text":"hm"}', '2 null', '3 {"role":"user"}']) {
      await redis.command('RPUSH', key, spoilt);
    }
    const lines = [{ text: 'my knee hurts' }, { text: 'which "one"?' }];
    expect(await schema.history.transcript(id, 0, 10)).toMatchObject({ next: undefined, lines });
    expect(await schema.history.transcript(id, 1, 1)).toEqual({ next: 2, lines: [] });
    expect(await schema.history.transcript(id, 2, 1)).toMatchObject({ next: 3, lines: [lines[1]] });
    expect(unreadable).toEqual([key, key]);
  });
});
