import { RedisScriptError, RedisUnavailableError } from '@greenroom/redis-schema';
import { expect, test } from '@jest/globals';
import { untilAnswered } from './until-answered.js';

/** A step that Redis answers at the given attempt. */
function answeredAt(attempt: number) {
  const step = async (): Promise<string> => {
    step.calls += 1;
    if (step.calls < attempt) throw new RedisUnavailableError('away');
    return 'answered';
  };
  step.calls = 0;
  return step;
}

test('a step is taken until Redis answers, with longer and longer pauses', async () => {
  const step = answeredAt(4);
  const startedAt = performance.now();
  expect(await untilAnswered(step)).toBe('answered');
  expect(step.calls).toBe(4);
  // 100, 200 and 400 ms.
  expect(performance.now() - startedAt).toBeGreaterThan(680);
});

test('an answer at once costs no pause', async () => {
  const step = answeredAt(1);
  expect(await untilAnswered(step)).toBe('answered');
  expect(step.calls).toBe(1);
});

test('what is no silence of Redis is not tried again', async () => {
  let calls = 0;
  const step = async (): Promise<never> => {
    calls += 1;
    throw new RedisScriptError('illegal transition');
  };
  await expect(untilAnswered(step)).rejects.toThrow('illegal transition');
  expect(calls).toBe(1);
});

test('who leaves stops asking, in the middle of a pause too', async () => {
  const leaving = new AbortController();
  const step = answeredAt(1000);
  const asking = untilAnswered(step, leaving.signal);
  setTimeout(() => leaving.abort(), 150);
  const startedAt = performance.now();
  await expect(asking).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
  expect(performance.now() - startedAt).toBeLessThan(290);
  const { calls } = step;
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(step.calls).toBe(calls);
});

test('who has left does not even begin', async () => {
  const step = answeredAt(1);
  await expect(untilAnswered(step, AbortSignal.abort())).rejects.toThrow(
    expect.objectContaining({ name: 'AbortError' }),
  );
  expect(step.calls).toBe(0);
});
