import type { Server } from 'node:http';
import { connect } from 'node:net';
import { closeServer, listen } from '@greenroom/service-kit';
import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import request, { type Response } from 'supertest';
import { createApiServer } from '../server.js';
import { openTestApi, StandInSpawner, type TestApi } from '../testing/test-api.js';

let redis: TestRedis;
let api: TestApi;
let server: Server;
let port: number;
let sizeBefore: unknown;

beforeAll(async () => {
  redis = await startRedis();
  api = await openTestApi({ redis, env: { RATE_LIMIT_PER_MINUTE: '1000' } });
  server = createApiServer(api.app);
  port = await listen(server, { host: '127.0.0.1', port: 0 });
  await new StandInSpawner(api.schema).register();
});
afterAll(async () => {
  await closeServer(server);
  await api.close();
  await redis.stop();
});
beforeEach(async () => {
  sizeBefore = await redis.command('DBSIZE');
});
afterEach(async () => {
  // Whatever was refused has left no trace, the limiter's included.
  expect(await redis.command('DBSIZE')).toBe(sizeBefore);
  expect((await api.get('/livez')).status).toBe(200);
});

function expectProblem({ status, headers, body, text }: Response, expected: [number, string]): void {
  expect([status, body.code]).toEqual(expected);
  expect(headers['content-type']).toBe('application/problem+json');
  expect(headers['cache-control']).toBe('no-store');
  expect(body).toMatchObject({
    type: `urn:greenroom:error:${expected[1]}`,
    title: expect.any(String),
    detail: expect.any(String),
    requestId: headers['x-request-id'],
    success: false,
  });
  // The id is a random word: any three letters may be in it.
  expect(text.replaceAll(body.requestId, '')).not.toMatch(/\.(ts|js):\d+|node_modules|at \w+ \(|joi|Error:/);
  expect(text.length).toBeLessThan(4_000);
}

const postRaw = (text: string, type = 'application/json', path = '/api/session/start') =>
  request(api.app).post(path).set('Content-Type', type).send(text);

describe('bodies', () => {
  test.each([
    '{',
    '{"userId":',
    'null',
    '"text"',
    '42',
    'true',
    "{'userId':'u'}",
    '{"a":1}{"b":2}',
    '\u0000',
    '{"userId":"u1",}',
  ])('malformed: %j', async (text) => expectProblem(await postRaw(text), [400, 'invalid_json']));

  test.each([
    [{ nonsense: 1 }],
    [{ userId: 1 }],
    [{ userId: null }],
    [{ userId: ['u1'] }],
    [{ userId: { $ne: '' } }],
    [{ userId: '' }],
    [{ userId: 'a:b' }],
    [{ userId: 'a/b' }],
    [{ userId: 'a b' }],
    [{ userId: 'a\u0000b' }],
    [{ userId: 'a\r\nDEL session:ready' }],
    [{ userId: '\ud800' }],
    [{ userId: 'u'.repeat(129) }],
    [{ userName: 'a\u001b[31mred' }],
    [{ userName: 'n'.repeat(101) }],
    [{ userName: true }],
    [{ voiceId: 'v\nx' }],
    [{ profile: 'a:b' }],
    [{ profile: '__proto__/..' }],
    [{ metadata: 'text' }],
    [{ metadata: [] }],
    [{ metadata: { big: 'x'.repeat(9_000) } }],
    [{ sessionId: 'session_x' }],
    [[]],
    [[{ userId: 'u1' }]],
  ])('wrong: %j', async (body) => {
    expectProblem(await api.post('/api/session/start', body), [400, 'invalid_request']);
  });

  test('every wrong field is named at once', async () => {
    const { body } = await api.post('/api/session/start', { userId: 1, profile: 2, what: 3 });
    expect(body.errors.map(({ field }: { field: string }) => field).sort()).toEqual([
      'profile',
      'userId',
      'what',
    ]);
  });

  test.each([
    '{"__proto__":{"admin":true}}',
    '{"metadata":{"__proto__":{"admin":true}}}',
    '{"metadata":{"a":[{"__proto__":1}]}}',
    '{"constructor":{"prototype":{"admin":true}}}',
  ])('prototypes: %s', async (text) => {
    expectProblem(await postRaw(text), [400, 'invalid_request']);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  test('nested without end', async () => {
    const deep = 20_000;
    expectProblem(await postRaw(`{"metadata":{"a":${'['.repeat(deep)}${']'.repeat(deep)}}}`), [
      400,
      'invalid_request',
    ]);
  });

  test('a field name as long as the body does not come back', async () => {
    expectProblem(await api.post('/api/session/start', { ['x'.repeat(60_000)]: 1 }), [
      400,
      'invalid_request',
    ]);
  });

  test('more than 64 KiB', async () => {
    const text = JSON.stringify({ metadata: { big: 'x'.repeat(64 * 1024) } });
    expectProblem(await postRaw(text), [413, 'payload_too_large']);
    const chunked = await fetch(`http://127.0.0.1:${port}/api/session/start`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: new Blob([text]).stream(),
      duplex: 'half',
    });
    expect(chunked.status).toBe(413);
  });

  test.each([
    'application/x-www-form-urlencoded',
    'text/plain',
    'multipart/form-data; boundary=x',
    'application/xml',
  ])('as %s', async (type) =>
    expectProblem(await postRaw('userId=u1', type), [415, 'unsupported_media_type']),
  );

  test('in another charset, or compressed', async () => {
    expectProblem(await postRaw('{}', 'application/json; charset=latin1'), [415, 'unsupported_media_type']);
    const zipped = await request(api.app)
      .post('/api/session/start')
      .set({ 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' })
      .send('{}');
    expectProblem(zipped, [415, 'unsupported_media_type']);
  });

  test.each(['/api/session/end', '/api/session/stop', '/api/token'])(
    '%s takes no other types either',
    async (path) => {
      for (const body of [{ sessionId: 1 }, { sessionId: ['x'] }, { sessionId: {} }, { extra: 1 }]) {
        expectProblem(await api.post(path, body), [400, 'invalid_request']);
      }
      expectProblem(await postRaw('{', 'application/json', path), [400, 'invalid_json']);
    },
  );

  test.each([
    { participant_attributes: { a: 1 } },
    {
      participant_attributes: Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`a${index}`, ''])),
    },
    { participant_metadata: 'x'.repeat(2_049) },
    { participant_name: 'a\u0007' },
    { room_config: 'x' },
  ])('a token body that is too much: %#', async (body) => {
    const sessionId = 'session_aaaaaaaaaaaaaaaaaaaaaaaa';
    expectProblem(await api.post('/api/token', { sessionId, ...body }), [400, 'invalid_request']);
  });
});

describe('ids in the path', () => {
  const GOOD = 'session_aaaaaaaaaaaaaaaaaaaaaaaa';
  test.each([
    'x',
    'session_short',
    'session:user:u1',
    'session_aaaaaaaaaaaaaaaaaaaaaaaa:pid',
    `${GOOD}%00`,
    `${GOOD}%0a`,
    '..%2F..%2Fetc%2Fpasswd',
    `${GOOD}%2F..%2Fx`,
    'session_%E2%82%AC%E2%82%AC%E2%82%AC%E2%82%AC%E2%82%AC%E2%82%AC%E2%82%AC%E2%82%AC',
    `session_${'a'.repeat(2_000)}`,
    '*',
    '__proto__',
    'constructor',
    '[object Object]',
    '%5B%5D',
  ])('%s', async (id) => {
    for (const path of [
      `/api/session/${id}`,
      `/api/session/${id}/logs`,
      `/api/debug/session/${id}/processes`,
    ]) {
      const response = await api.adminGet(path);
      expectProblem(response, [404, response.body.code === 'not_found' ? 'not_found' : 'session_not_found']);
    }
  });

  test.each(['/api/session/%', '/api/session/%zz', '/api/session/%c0%af', '/%'])(
    '%s cannot be decoded',
    async (path) => {
      const response = await api.get(path);
      expectProblem(response, [404, 'not_found']);
    },
  );
});

describe('addresses and methods', () => {
  test.each([
    '/',
    '/api',
    '/api/nothing',
    '/api/session',
    '/api/session/start/',
    '/API/SESSION/START/x',
    '/.env',
    '//api/health',
  ])('GET %s is nothing, or another method’s', async (path) => {
    const response = await api.get(path);
    expect([404, 405]).toContain(response.status);
    expectProblem(response, [response.status, response.status === 405 ? 'method_not_allowed' : 'not_found']);
  });

  test.each([
    ['put', '/api/session/start', 'POST'],
    ['delete', '/api/session/session_aaaaaaaaaaaaaaaaaaaaaaaa', 'GET, HEAD'],
    ['post', '/api/health', 'GET, HEAD'],
    ['patch', '/api/pool', 'GET, HEAD'],
  ] as const)('%s %s is a 405 that says what goes', async (method, path, allow) => {
    const response = await request(api.app)[method](path);
    expectProblem(response, [405, 'method_not_allowed']);
    expect(response.headers.allow).toBe(allow);
  });

  test('what is no HTTP is cut off, and others are served on', async () => {
    const garbage = await new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('\u0000\u0001 nonsense\r\n\r\n'));
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.on('close', () => resolve(text));
      socket.on('error', () => undefined);
    });
    expect(garbage).toMatch(/^HTTP\/1.1 400/);
  });
});

describe('headers', () => {
  test('a sane X-Request-Id is kept, another is replaced', async () => {
    const kept = await api.get('/api/nothing').set('X-Request-Id', 'abc-123');
    expect([kept.headers['x-request-id'], kept.body.requestId]).toEqual(['abc-123', 'abc-123']);
    const replaced = await api.get('/api/nothing').set('X-Request-Id', '"><script>');
    expect(replaced.headers['x-request-id']).toMatch(/^[\w-]{21}$/);
  });

  test('answers carry the headers of helmet and tell nothing of express', async () => {
    const { headers } = await api.get('/api/health');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['x-powered-by']).toBeUndefined();
    expect(headers['cache-control']).toBe('no-store');
  });

  test('an Idempotency-Key of control characters or of endless length is refused', async () => {
    const tooLong = await api.post('/api/session/start', {}).set('Idempotency-Key', 'k'.repeat(300));
    expect([tooLong.status, tooLong.body.code]).toEqual([400, 'invalid_request']);
    // This one passes the limiter, which leaves its count.
    await redis.command('DEL', 'limit:start:address:127.0.0.1');
  });
});

test('a query key that a route does not know is refused, not ignored', async () => {
  expectProblem(await api.adminGet('/api/pool?profile=other'), [400, 'invalid_request']);
});
