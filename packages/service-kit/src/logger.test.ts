import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { createLogger, flushLogger } from './logger.js';

const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYWxsZXIifQ.c2lnbmF0dXJl';

function collect() {
  let text = '';
  const destination = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  return {
    destination,
    lines: () =>
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    text: () => text,
  };
}

function loggerTo(destination: Writable, secrets: string[] = ['s3cret-value', 's3cret']) {
  return createLogger({ service: 'test', level: 'info', secrets, destination });
}

test('a line is one JSON object with time, level, service, message and fields', async () => {
  const out = collect();
  const logger = loggerTo(out.destination);
  logger.info('two\nlines', { requestId: 'abc', count: 3, none: null });
  logger.debug('not at this level');
  await flushLogger(logger);
  expect(out.lines()).toEqual([
    {
      level: 'info',
      service: 'test',
      message: 'two\nlines',
      requestId: 'abc',
      count: 3,
      none: null,
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    },
  ]);
});

test('no secret gets through: not by value, not by field, not as a header, not inside an error', async () => {
  const out = collect();
  const logger = loggerTo(out.destination).child({ token: 'child-field' });
  logger.info(`connecting with s3cret-value and ${TOKEN}`, {
    headers: { authorization: 'Bearer header-value', Cookie: 'cookie-value' },
    participantToken: 'field-value',
    api_key: 'key-value',
    nested: [{ password: 'nested-value', note: 'Bearer note-value' }],
    error: new Error('refused s3cret-value', { cause: new Error('s3cret') }),
  });
  await flushLogger(logger);
  expect(out.text()).not.toMatch(
    /s3cret|eyJ|header-value|cookie-value|field-value|key-value|nested-value|note-value|child-field/,
  );
  expect(out.lines()[0].error).toMatchObject({ name: 'Error', message: 'refused [redacted]' });
});

test('what is no secret stays readable, and a circle does not end the program', async () => {
  const out = collect();
  const logger = loggerTo(out.destination);
  const circle: Record<string, unknown> = { tokens: 12, endReason: 'caller_ended' };
  circle.self = circle;
  logger.warn('fine', circle);
  await flushLogger(logger);
  expect(out.lines()[0]).toMatchObject({ tokens: 12, endReason: 'caller_ended' });
});

test('flushing waits for a slow reader, and the log goes on afterwards', async () => {
  let text = '';
  const slow = new Writable({
    highWaterMark: 10,
    write(chunk, _encoding, done) {
      setTimeout(() => {
        text += chunk;
        done();
      }, 2);
    },
  });
  const logger = loggerTo(slow);
  for (let line = 1; line <= 50; line += 1) logger.info(`line ${line}`);
  await flushLogger(logger);
  expect(text).toContain('"line 50"');
  logger.info('afterwards');
  await flushLogger(logger);
  expect(text).toContain('afterwards');
});
