import { expect, jest, test } from '@jest/globals';
import { LatePart } from './late-part.js';

test('a part that could not be loaded is asked for again while it is shown, and not any more afterwards', async () => {
  jest.useFakeTimers();
  try {
    let asked = 0;
    let isAway = true;
    const part = new LatePart(async () => {
      asked += 1;
      if (isAway) throw new Error('the network is away');
      return 'a part';
    });
    await expect(part.prefetch()).rejects.toThrow();
    const leave = part.subscribe(() => undefined);
    await jest.advanceTimersByTimeAsync(2_000);
    expect([asked, part.get()]).toEqual([4, undefined]);
    leave();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(asked).toBe(4);
    isAway = false;
    let told = 0;
    part.subscribe(() => (told += 1));
    await jest.advanceTimersByTimeAsync(0);
    expect([part.get(), told]).toEqual(['a part', 1]);
  } finally {
    jest.useRealTimers();
  }
});
