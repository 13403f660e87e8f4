import { describe, expect, test } from '@jest/globals';
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

describe('phone calls', () => {
  const PUBLIC_KEY = Buffer.alloc(32, 7).toString('base64');
  const PHONE = {
    ...ENOUGH,
    TELNYX_API_KEY: 'KEY0123',
    TELNYX_PUBLIC_KEY: PUBLIC_KEY,
    TELNYX_LINK: 'sip',
    TELNYX_SIP_URI: 'sip:{room}@sip.example.com',
  };

  test('are taken with both keys and a way to the agent', () => {
    expect(parseApiConfig(PHONE)).toMatchObject({
      telnyxApiUrl: 'https://api.telnyx.com/v2',
      telnyxLink: 'sip',
      telnyxProfile: 'default',
      telnyxTranscription: 'on',
    });
  });

  test('without any of it there are none', () => {
    expect(parseApiConfig(ENOUGH).telnyxApiKey).toBeUndefined();
  });

  test.each([
    [{ TELNYX_API_KEY: '' }, /TELNYX_API_KEY is missing/],
    [{ TELNYX_PUBLIC_KEY: '' }, /TELNYX_PUBLIC_KEY is missing/],
    [{ TELNYX_LINK: '' }, /TELNYX_LINK is missing/],
    [{ TELNYX_SIP_URI: '' }, /TELNYX_SIP_URI is missing/],
    [{ TELNYX_LINK: 'stream' }, /TELNYX_STREAM_URL is missing/],
    [{ TELNYX_PUBLIC_KEY: 'short' }, /TELNYX_PUBLIC_KEY must be the base64 text of an Ed25519 public key/],
    [{ TELNYX_SIP_URI: 'sip:{rom}@x' }, /TELNYX_SIP_URI must be an address/],
    [{ TELNYX_STREAM_URL: 'https://x/{room}' }, /TELNYX_STREAM_URL must be an address/],
    [{ TELNYX_API_KEY: 'has a space' }, /TELNYX_API_KEY must be/],
  ])('half of it is refused: %p', (fields, problem) => {
    const parse = () => parseApiConfig({ ...PHONE, ...fields });
    expect(parse).toThrow(problem);
    expect(parse).not.toThrow(/KEY0123|has a space/);
  });
});
