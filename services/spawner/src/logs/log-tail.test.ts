import { appendFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { waitFor } from '@greenroom/test-kit';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { cleanUpFixtures, gateFixture } from '../process/fixtures/launch-fixture.js';
import { CUT_MARK } from './line-splitter.js';
import { type LogTail, type LogTailOptions, openLogTail } from './log-tail.js';
import { trimLog } from './rotate.js';

let home: string;
let file: string;
let lines: string[];
const tails: LogTail[] = [];

beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'greenroom-logs-'));
  file = path.join(home, 'agent.log');
  lines = [];
});
afterEach(async () => {
  await Promise.all(tails.splice(0).map((it) => it.close({ drain: false })));
  await cleanUpFixtures();
  await rm(home, { recursive: true, force: true });
});

function follow(over: Partial<LogTailOptions> = {}): LogTail {
  const onLines = (batch: string[]) => void lines.push(...batch);
  const tail = openLogTail({ file, onLines, ...over });
  tails.push(tail);
  return tail;
}

describe('following', () => {
  test('brings lines at once, without waiting for a poll', async () => {
    writeFileSync(file, '');
    follow({ pollMs: 60_000 });
    await setTimeout(50);
    const startedAt = performance.now();
    for (let number = 1; number <= 20; number += 1) {
      appendFileSync(file, `half of ${number}`);
      appendFileSync(file, ' and half\n');
      while (lines.length < number) await setTimeout(1);
    }
    // Looking for each of them now and then would take 100 ms on average.
    expect(performance.now() - startedAt).toBeLessThan(1000);
    expect(lines[19]).toBe('half of 20 and half');
  });

  test('leaves out what it is told to skip, and the line that the skip falls into', async () => {
    writeFileSync(file, '');
    let letGo: () => void = () => undefined;
    const isHeld = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const onLines = async (batch: string[]) => {
      lines.push(...batch);
      if (batch.includes('held')) await isHeld;
    };
    const tail = follow({ onLines });
    appendFileSync(file, 'held\n');
    await waitFor(() => lines.length === 1);
    appendFileSync(file, 'left out\nin two parts\nserved\n');
    tail.skipTo('held\nleft out\nin two'.length);
    expect(tail.offset).toBe('held\nleft out\nin two'.length);
    letGo();
    await waitFor(() => lines.length > 1);
    expect(lines).toEqual(['held', 'served']);
    await waitFor(async () => tail.offset === (await stat(file)).size);
  });

  test('says when all that stood there was taken, and that it cannot say so where it has stopped', async () => {
    const tail = follow({
      pollMs: 60_000,
      onLines: async (batch) => {
        await setTimeout(50);
        lines.push(...batch);
      },
    });
    expect(await tail.catchUp()).toBe(true);
    for (let number = 1; number <= 5; number += 1) {
      appendFileSync(file, `line ${number}\n`);
      expect(await tail.catchUp()).toBe(true);
      expect(lines).toHaveLength(number);
    }
    appendFileSync(file, 'one more\n');
    const isRead = tail.catchUp();
    await setTimeout(20);
    appendFileSync(file, 'and another\n');
    await tail.close({ drain: false });
    expect(await isRead).toBe(false);
    expect(await tail.catchUp()).toBe(false);
  });

  test('says that it has caught up although the file never ends', async () => {
    writeFileSync(file, 'first\n');
    const tail = follow({
      onLines: async (batch) => {
        lines.push(...batch);
        // Faster than it is read.
        appendFileSync(file, 'again\n');
        await setTimeout(5);
      },
    });
    await waitFor(() => lines.length > 3);
    const asked = lines.length;
    const isRead = Promise.race([tail.catchUp(), setTimeout(1_000, 'waits', { ref: false })]);
    expect(await isRead).toBe(true);
    expect(lines.length).toBeGreaterThanOrEqual(asked);
  });

  test('begins when the file comes into being', async () => {
    follow({ pollMs: 30 });
    await setTimeout(60);
    writeFileSync(file, 'first\n');
    await waitFor(() => lines.length === 1);
  });

  test('goes on with the new file where one was replaced, the rest of the old one first', async () => {
    writeFileSync(file, 'old\n');
    follow({ pollMs: 30 });
    await waitFor(() => lines.length === 1);
    writeFileSync(`${file}.new`, 'new\n');
    appendFileSync(file, 'old too\n');
    renameSync(`${file}.new`, file);
    await waitFor(() => lines.length === 3);
    expect(lines).toEqual(['old', 'old too', 'new']);
  });

  test('begins anew after the file was cut', async () => {
    writeFileSync(file, 'a long line to begin with\n');
    const tail = follow({ pollMs: 30 });
    await waitFor(() => lines.length === 1);
    truncateSync(file, 0);
    await waitFor(() => tail.offset === 0);
    appendFileSync(file, 'short\n');
    await waitFor(() => lines.length === 2);
    expect(lines[1]).toBe('short');
  });

  test('waits for its reader and never calls it twice at a time', async () => {
    writeFileSync(file, 'x\n'.repeat(200_000));
    let busy = 0;
    let most = 0;
    const onLines = async (batch: string[]) => {
      most = Math.max(most, (busy += 1));
      await setTimeout(2);
      lines.push(...batch);
      busy -= 1;
    };
    follow({ onLines });
    await waitFor(() => lines.length === 200_000);
    expect(most).toBe(1);
  });

  test('reports a failing reader and goes on', async () => {
    writeFileSync(file, 'bad\n');
    const errors: unknown[] = [];
    const onLines = (batch: string[]) => {
      if (batch.includes('bad')) throw new Error('no');
      lines.push(...batch);
    };
    const tail = follow({ onLines, onError: (error) => errors.push(error), pollMs: 30 });
    await waitFor(() => errors.length === 1);
    appendFileSync(file, 'good\n');
    await waitFor(() => lines.length === 1);
    expect(tail.offset).toBe(9);
    expect(errors).toHaveLength(1);
  });
});

describe('a successor', () => {
  test('that begins at the offset neither misses nor repeats a line', async () => {
    const all = Array.from({ length: 5000 }, (_, index) => `line ${index}`);
    let written = 0;
    const write = () => {
      const next = all.slice(written, written + 50);
      written += next.length;
      const text = next.map((it) => `${it}\n`).join('');
      // In two writes, so that a line is often half there.
      appendFileSync(file, text.slice(0, -3));
      appendFileSync(file, text.slice(-3));
    };
    let offset = 0;
    while (written < all.length) {
      write();
      const tail = follow({ offset, pollMs: 20 });
      await setTimeout(3);
      write();
      await tail.close({ drain: false });
      offset = tail.offset;
    }
    await follow({ offset }).close({ drain: true });
    expect(lines).toEqual(all);
  });

  test('that begins within an overlong line skips its rest', async () => {
    writeFileSync(file, 'x'.repeat(200_000));
    const tail = follow({ maxLineBytes: 100 });
    await waitFor(() => tail.offset === 200_000);
    await tail.close({ drain: false });
    appendFileSync(file, 'yyy\nnext\n');
    await follow({ offset: tail.offset, maxLineBytes: 100 }).close({ drain: true });
    expect(lines).toEqual(['x'.repeat(100) + CUT_MARK, 'next']);
  });

  test('whose offset lies behind the end of a file begins anew', async () => {
    writeFileSync(file, 'new\n');
    await follow({ offset: 1000 }).close({ drain: true });
    expect(lines).toEqual(['new']);
  });
});

describe('closing', () => {
  test('with drain reads what is there, a last line without an ending included', async () => {
    writeFileSync(file, 'one\ntwo');
    const tail = follow();
    await tail.close({ drain: true });
    expect(lines).toEqual(['one', 'two']);
    expect(tail.offset).toBe(7);
  });

  test('without drain stops at once', async () => {
    writeFileSync(file, 'x\n'.repeat(1_000_000));
    const tail = follow({ onLines: () => setTimeout(20) });
    await setTimeout(50);
    await tail.close({ drain: false });
    expect(tail.offset).toBeLessThan(1_000_000);
  });

  test('a file that never came', async () => {
    await follow().close({ drain: true });
    expect(lines).toEqual([]);
  });

  test('ends though more is printed whenever something is read', async () => {
    writeFileSync(file, 'on\n');
    let count = 0;
    const onLines = () => {
      count += 1;
      appendFileSync(file, 'and on\n');
    };
    const tail = follow({ onLines });
    await waitFor(() => count > 10);
    await tail.close({ drain: true });
    expect(count).toBeGreaterThan(10);
  });
});

describe('what programs print', () => {
  test('bytes that are no UTF-8, and CRLF', async () => {
    const launch = await gateFixture('bad-utf8.sh');
    await launch.release();
    await launch.exited;
    await follow({ file: launch.logFile }).close({ drain: true });
    expect(lines).toEqual(['a\uFFFD\uFFFDb', '\uFFFD', 'grün', 'last']);
  });

  test('a line of 10 MB', async () => {
    const launch = await gateFixture('ten-megabyte-line.sh');
    await launch.release();
    await launch.exited;
    await follow({ file: launch.logFile }).close({ drain: true });
    expect(lines).toEqual(['x'.repeat(16 * 1024) + CUT_MARK, 'after']);
  });

  test('a flood: every line, in bounded memory, with the event loop free and the disk spared', async () => {
    const bytes = 150_000_000;
    const launch = await gateFixture('floods-stdout.sh', String(bytes));
    let count = 0;
    let lastNumber = 0;
    let gaps = 0;
    let mostBlocks = 0;
    const onLines = (batch: string[]) => {
      for (const line of batch) {
        const number = Number(/^line (\d+) of/.exec(line)?.[1]);
        if (!Number.isNaN(number) && number !== (lastNumber += 1)) gaps += 1;
      }
      count += batch.length;
      lines = batch;
    };
    const onCheckpoint = async (tail: LogTail) => {
      mostBlocks = Math.max(mostBlocks, (await stat(launch.logFile)).blocks);
      await trimLog({ file: launch.logFile, tail, capBytes: 10_000_000, keepBytes: 1_000_000 });
    };
    const delay = monitorEventLoopDelay({ resolution: 5 });
    const memoryBefore = process.memoryUsage().rss;
    const tail = follow({ file: launch.logFile, onLines, onCheckpoint });
    delay.enable();
    await launch.release();
    await launch.exited;
    await tail.close({ drain: true });
    delay.disable();
    expect(lines.at(-1)).toContain('the end');
    expect(count).toBeGreaterThan(bytes / 60);
    expect(gaps).toBe(0);
    // Not the longest one: on a busy machine that measures the machine.
    expect(delay.percentile(99) / 1e6).toBeLessThan(100);
    expect(process.memoryUsage().rss - memoryBefore).toBeLessThan(150_000_000);
    await trimLog({ file: launch.logFile, tail, capBytes: 10_000_000, keepBytes: 1_000_000 });
    expect((await stat(launch.logFile)).blocks * 512).toBeLessThan(10_000_000);
  });
});
