import { describe, expect, test } from '@jest/globals';
import { end, entryOf, launch, startCall, useHistory, warmAgent } from './testing/history.js';
import { redis, schema } from './testing/steps.js';

useHistory();

const note = (id: string, identity = 'listener-1') => schema.rooms.noteListener(id, identity);

async function told(id: string): Promise<unknown[]> {
  const page = await schema.events.readTimeline(id);
  return page.status === 'live' ? page.entries.filter(({ type }) => type === 'listener') : [];
}

describe('a listener', () => {
  test('stands in the stream of the call, in that of all, and in the history', async () => {
    const id = await startCall({ userId: 'ada' });
    const ref = await launch();
    const before = Date.now();
    expect(await note(id)).toMatchObject({ status: 'ok', session: { id } });
    await note(id, 'listener-2');
    expect(await told(id)).toMatchObject([
      { status: 'ready', isAgents: false, data: { identity: 'listener-1' } },
      { data: { identity: 'listener-2' } },
    ]);
    const all = (await redis.command('XRANGE', 'events', '-', '+')) as [string, string[]][];
    expect(all.filter(([, fields]) => fields.join(' ').includes('"step":"listener"'))).toHaveLength(2);
    await end(ref);
    const { listenedAt } = await entryOf(id);
    expect(listenedAt).toHaveLength(2);
    for (const at of listenedAt) expect(Math.abs(at - before)).toBeLessThan(5_000);
  });

  test('that is noted again, because an answer was lost, is one', async () => {
    const id = await startCall();
    await launch();
    await note(id);
    expect((await note(id)).status).toBe('ok');
    expect(await told(id)).toHaveLength(1);
    expect(await redis.command('HGET', `session:${id}`, 'listened')).toMatch(/^listener-1@\d+$/);
  });

  test('is found under the id from the line, and of many the last 50 are kept', async () => {
    const warm = await warmAgent();
    const id = await startCall();
    expect(id).toBe(warm.sessionId);
    await redis.command('SET', 'becomes:session_from_the_line_000000', id);
    for (let i = 0; i < 51; i += 1) await note('session_from_the_line_000000', `listener-${i}`);
    const names = String(await redis.command('HGET', `session:${id}`, 'listened')).split(' ');
    expect(names).toHaveLength(50);
    expect(names[0]).toMatch(/^listener-1@/);
    expect(names[49]).toMatch(/^listener-50@/);
  });

  test('is refused where there is no call with an agent, and nothing is written', async () => {
    const warm = await warmAgent();
    expect((await note(warm.sessionId)).status).toBe('refused');
    await redis.command('DEL', 'pool:ready');
    const starting = await startCall();
    expect((await note(starting)).status).toBe('refused');
    const ref = await launch();
    await schema.sessions.requestEnd({ sessionId: starting, reason: 'caller_ended', by: 'caller' });
    expect((await note(starting)).status).toBe('refused');
    expect(await told(starting)).toEqual([]);
    await schema.sessions.finishEnd(starting, ref.generation);
    expect(await note(starting)).toMatchObject({ status: 'ended', ended: { endReason: 'caller_ended' } });
    expect((await note('session_aaaaaaaaaaaaaaaaaaaaaaaa')).status).toBe('not_found');
  });

  test('of a call that may have been lost with the data is not noted', async () => {
    const id = await startCall();
    await launch();
    await redis.command('FLUSHALL');
    await expect(note(id)).rejects.toThrow(/recovered/);
  });
});
