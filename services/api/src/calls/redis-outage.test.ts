import { setTimeout as sleep } from 'node:timers/promises';
import { begin, callReducer } from '@greenroom/dead-air';
import { openRedis } from '@greenroom/redis-schema';
import { startRedis, waitFor } from '@greenroom/test-kit';
import { expect, test } from '@jest/globals';
import { WatchingApi } from '../testing/watching-api.js';

const AWAY_MS = 3_500;
const GRACE_MS = 2_000;

test('Redis goes in the middle of a silence: nobody is asked in its first moment, a caller who spoke meanwhile not at all', async () => {
  const redis = await startRedis({ persistent: true, config: { appendfsync: 'always' } });
  const open = () => openRedis({ url: redis.url, clientName: 'test' });
  const schema = open();
  await schema.connected(2_000);
  const api = new WatchingApi(open(), () => 'confirmed');
  try {
    const at = Math.round(schema.clock.now());
    for (const callId of ['silent', 'spoke']) {
      const state = begin(at, 'phone');
      const settings = { silence_timeout_normal: 2 };
      await schema.calls.open({ callId, medium: 'phone', state, settings, dueAt: undefined });
      await schema.calls.change(callId, callReducer({ kind: 'call_started', at }));
    }
    await sleep(200);
    await redis.kill();
    await sleep(AWAY_MS);
    const backAt = performance.now();
    await redis.restart();
    // What was said while it was away comes half a second after its return, as its webhook does.
    const spokenAt = at + 1_900;
    await sleep(500);
    await waitFor(() =>
      schema.calls.change('spoke', callReducer({ kind: 'caller_speaking', active: true, at: spokenAt })),
    );
    await waitFor(() => api.sent.length > 0, { what: 'the question' });
    expect(performance.now() - backAt).toBeGreaterThan(GRACE_MS - 50);
    expect(performance.now() - backAt).toBeLessThan(GRACE_MS + 2_500);
    await sleep(300);
    expect(api.sent.map(({ callId }) => callId)).toEqual(['silent']);
  } finally {
    await api.close();
    await schema.close();
    await redis.stop();
  }
});
