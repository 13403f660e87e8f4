import { expect, test } from '@jest/globals';
import { parseApiConfig } from './config.js';

const ENOUGH = {
  REDIS_URL: 'redis://127.0.0.1:6379',
  LIVEKIT_URL: 'http://livekit:7880',
  LIVEKIT_API_KEY: 'key',
  LIVEKIT_API_SECRET: 'secret',
};

test('callers get a websocket address, the public one where there is one', () => {
  expect(parseApiConfig(ENOUGH).livekitPublicUrl).toBe('ws://livekit:7880');
  expect(parseApiConfig({ ...ENOUGH, LIVEKIT_PUBLIC_URL: 'https://lk.example' }).livekitPublicUrl).toBe(
    'wss://lk.example',
  );
});

test('what is missing is told at once', () => {
  expect(() => parseApiConfig({})).toThrow(/REDIS_URL.*LIVEKIT_URL.*LIVEKIT_API_KEY.*LIVEKIT_API_SECRET/s);
});

test('a client key that is the admin token is refused, without showing it', () => {
  const parse = () => parseApiConfig({ ...ENOUGH, ADMIN_TOKEN: 'hunter2', CLIENT_API_KEYS: 'a,hunter2' });
  expect(parse).toThrow(/CLIENT_API_KEYS must not contain ADMIN_TOKEN/);
  expect(parse).not.toThrow(/hunter2/);
});
