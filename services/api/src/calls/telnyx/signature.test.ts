import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { CodedError } from '@greenroom/contracts';
import { describe, expect, test } from '@jest/globals';
import { verifySignature } from './signature.js';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const KEY = rawKey(publicKey);
const BODY = '{"data":{"event_type":"call.hangup","id":"1"}}';

function rawKey(key: KeyObject): string {
  return key.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64');
}

const now = () => Math.floor(Date.now() / 1000);

function signed(body: Buffer | string, { timestamp = String(now()), key = privateKey } = {}) {
  const text = Buffer.concat([Buffer.from(`${timestamp}|`), Buffer.from(body)]);
  return { signature: sign(null, text, key).toString('base64'), timestamp };
}

const verify = (body: Buffer | string, headers: { signature?: string; timestamp?: string }) =>
  verifySignature(KEY, Buffer.from(body), { signature: headers.signature, timestamp: headers.timestamp });

test('what Telnyx has signed is taken, up to 300 s later, and from a clock that is ahead', async () => {
  await verify(BODY, signed(BODY));
  await verify(BODY, signed(BODY, { timestamp: String(now() - 295) }));
  await verify(BODY, signed(BODY, { timestamp: String(now() + 295) }));
  await verify('', signed(''));
  await verify('{"text":"Grüß Gott, \ud83d\ude00"}', signed('{"text":"Grüß Gott, \ud83d\ude00"}'));
});

describe('is refused as unauthorized', () => {
  const other = generateKeyPairSync('ed25519').privateKey;
  const good = signed(BODY);
  test.each([
    ['no headers at all', BODY, {}],
    ['no signature', BODY, { timestamp: good.timestamp }],
    ['no timestamp', BODY, { signature: good.signature }],
    ['another account', BODY, signed(BODY, { key: other })],
    ['a body of which a byte was changed', BODY.replace('1', '2'), good],
    ['a body with a blank behind it', `${BODY} `, good],
    ['a timestamp that was not signed', BODY, { ...good, timestamp: String(Number(good.timestamp) + 1) }],
    ['what is older than 300 s', BODY, signed(BODY, { timestamp: String(now() - 302) })],
    ['what is more than 300 s ahead', BODY, signed(BODY, { timestamp: String(now() + 302) })],
    ['a timestamp in milliseconds', BODY, signed(BODY, { timestamp: String(Date.now()) })],
    ['a timestamp that is no number', BODY, signed(BODY, { timestamp: `${now()}.0` })],
    ['a negative timestamp', BODY, signed(BODY, { timestamp: `-${now()}` })],
    ['a signature that is no base64', BODY, { ...good, signature: `*${good.signature.slice(1)}` }],
    ['a signature that is too short', BODY, { ...good, signature: good.signature.slice(0, 40) }],
    ['an all-zero signature', BODY, { ...good, signature: Buffer.alloc(64).toString('base64') }],
  ])('%s', async (_, body, headers) => {
    const refused = await verify(body, headers).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(CodedError);
    expect((refused as CodedError).code).toBe('unauthorized');
    expect((refused as CodedError).message).not.toContain(KEY);
  });

  test('bytes that are no UTF-8, though they were signed as they are', async () => {
    const body = Buffer.from([0x7b, 0xff, 0xfe, 0x7d]);
    await expect(verify(body, signed(body))).rejects.toThrow(CodedError);
  });
});
