import { appendFileSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeTempDir, startProcess } from '@greenroom/test-kit';
import { expect, test } from '@jest/globals';
import { openEventLog } from './events.js';

test('events are appended, one object a line, also when the reader empties the file in between', async () => {
  const dir = await makeTempDir('events');
  const file = join(dir.path, 'events');
  appendFileSync(file, 'older\n');
  const log = openEventLog(file);
  log.write({ event: 'ready' });
  truncateSync(file, 0);
  log.write({ event: 'transcript', role: 'user', text: 'two\nlines', final: true });
  log.close();
  const lines = readFileSync(file, 'utf8').split('\n');
  expect(lines).toHaveLength(2);
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    event: 'transcript',
    role: 'user',
    text: 'two\nlines',
    final: true,
    at: expect.any(Number),
  });
  await dir.remove();
});

test('a full disk is no reason to end a call', () => {
  const log = openEventLog('/dev/full');
  expect(() => log.write({ event: 'ready' })).not.toThrow();
  log.close();
});

test('without its file, events go to stdout, and transcripts nowhere', async () => {
  const module = fileURLToPath(new URL('../dist/events.js', import.meta.url));
  const script = `const { openEventLog } = await import(${JSON.stringify(module)});
    const log = openEventLog('/nonexistent/events');
    log.write({ event: 'transcript', role: 'user', text: 'secret', final: true });
    log.write({ event: 'ready' });`;
  const run = await startProcess({ command: process.execPath, args: ['--input-type=module', '-e', script] });
  await run.exited;
  expect(run.output()).toMatch(/"event":"ready"/);
  expect(run.output()).toContain('no events in /nonexistent/events');
  expect(run.output()).not.toContain('secret');
  await run.stop();
});
