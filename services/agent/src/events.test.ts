import { appendFileSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { makeTempDir } from '@greenroom/test-kit';
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
