import { appendFileSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { punchHole } from '../process/punch-hole.js';
import { openLogTail } from './log-tail.js';
import { eraseConsumed, trimLog } from './rotate.js';

let home: string;
let file: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'greenroom-rotate-'));
  file = path.join(home, 'agent.log');
});
afterEach(() => rm(home, { recursive: true, force: true }));

const MIB = 1024 * 1024;
const takenBytes = () => statSync(file).blocks * 512;
const noRewind = () => {
  throw new Error('rewound');
};

describe('trimming a log', () => {
  test('gives the part that was read back, and keeps the newest and all offsets', async () => {
    writeFileSync(file, Buffer.alloc(12 * MIB, 'x'));
    const outcome = await trimLog({ file, tail: { offset: 12 * MIB, rewind: noRewind } });
    expect(outcome).toEqual({ kind: 'trimmed' });
    expect(statSync(file).size).toBe(12 * MIB);
    expect(takenBytes()).toBeLessThan(3 * MIB);
    expect(
      readFileSync(file)
        .subarray(10 * MIB)
        .every((it) => it === 0x78),
    ).toBe(true);
  });

  test('leaves one alone that fits', async () => {
    writeFileSync(file, Buffer.alloc(MIB, 'x'));
    expect(await trimLog({ file, tail: { offset: MIB, rewind: noRewind } })).toEqual({ kind: 'fits' });
  });

  test('touches nothing that has not been read', async () => {
    writeFileSync(file, Buffer.alloc(12 * MIB, 'x'));
    const request = { file, tail: { offset: MIB, rewind: noRewind } };
    expect(await trimLog(request)).toEqual({ kind: 'behind' });
    expect(readFileSync(file).every((it) => it === 0x78)).toBe(true);
  });

  test('loses no line while a writer and a tail go on', async () => {
    const writer = openSync(file, 'a');
    const seen: string[] = [];
    const tail = openLogTail({
      file,
      onLines: (lines) => void seen.push(...lines),
      checkpointBytes: 100_000,
      onCheckpoint: async (it) =>
        void (await trimLog({ file, tail: it, capBytes: 500_000, keepBytes: 100_000 })),
    });
    for (let number = 0; number < 50_000; number += 1) {
      writeSync(writer, `${number} ${'x'.repeat(50)}\n`);
      if (number % 500 === 0) await new Promise(setImmediate);
    }
    await tail.close({ drain: true });
    expect(seen.map((it) => Number(it.split(' ')[0]))).toEqual(
      Array.from({ length: 50_000 }, (_, index) => index),
    );
    expect(takenBytes()).toBeLessThan(1_500_000);
  });

  test('leaves a file that is read from its beginning readable', async () => {
    writeFileSync(file, `${'x'.repeat(99)}\n`.repeat(60_000));
    await trimLog({ file, tail: { offset: 6_000_000, rewind: noRewind }, capBytes: MIB, keepBytes: MIB });
    const seen: string[] = [];
    await openLogTail({ file, onLines: (lines) => void seen.push(...lines) }).close({ drain: true });
    expect(new Set(seen.slice(1))).toEqual(new Set(['x'.repeat(99)]));
    expect(seen[0]).toMatch(/^x*$/);
  });
});

describe('erasing what was read of an events file', () => {
  test('leaves no word of it, and the rest and its offsets as they were', async () => {
    const said = '{"event":"transcript","role":"user","text":"my knee hurts","final":true}\n';
    writeFileSync(file, said);
    expect(await eraseConsumed(file, said.length)).toBe('erased');
    appendFileSync(file, '{"event":"ready"}\n');
    const content = readFileSync(file, 'latin1');
    expect(content).not.toContain('knee');
    expect(content.length).toBe(said.length + 18);
    const seen: string[] = [];
    const readAll = (offset: number) =>
      openLogTail({ file, offset, onLines: (lines) => void seen.push(...lines) }).close({ drain: true });
    await readAll(said.length);
    await readAll(0);
    expect(seen).toEqual(['{"event":"ready"}', '{"event":"ready"}']);
  });

  test('fails loudly where the file is not to be written', async () => {
    await expect(eraseConsumed(path.join(home, 'missing'), 10)).rejects.toThrow('ENOENT');
  });
});

test('punching says when the file system cannot', async () => {
  expect(await punchHole('/proc/self/environ', 4096)).toMatchObject({
    kind: expect.not.stringMatching('punched'),
  });
  expect(await punchHole(path.join(home, 'missing'), 4096)).toMatchObject({ kind: 'failed' });
});
