import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Test } from 'supertest';
import { ADMIN_TOKEN, CLIENT_KEY, openTestApi, StandInSpawner, type TestApi } from '../testing/test-api.js';
import { createAuthenticator } from './authenticate.js';

const ID = 'session_aaaaaaaaaaaaaaaaaaaaaaaa';
const ROUTES = {
  admin: [
    'GET /api/sessions',
    `GET /api/session/${ID}/logs`,
    'GET /api/pool',
    'POST /api/pool/resize',
    `GET /api/debug/session/${ID}/processes`,
  ],
  client: ['POST /api/session/start', 'GET /api/profiles'],
  holder: [`GET /api/session/${ID}`, 'POST /api/session/end', 'POST /api/session/stop', 'POST /api/token'],
  anyone: ['GET /api/health', 'GET /health', 'GET /livez', 'GET /readyz', 'GET /metrics'],
} as const;

let redis: TestRedis;
let keyed: TestApi;
let open: TestApi;
let withoutAdmin: TestApi;

beforeAll(async () => {
  redis = await startRedis();
  keyed = await openTestApi({ redis, env: { CLIENT_API_KEYS: `${CLIENT_KEY},second-key` } });
  open = await openTestApi({ redis });
  withoutAdmin = await openTestApi({ redis, env: { ADMIN_TOKEN: '' } });
});
afterAll(async () => {
  await Promise.all([keyed.close(), open.close(), withoutAdmin.close()]);
  await redis.stop();
});
beforeEach(async () => {
  await redis.command('FLUSHALL');
  await new StandInSpawner(open.schema).register();
});

function ask(api: TestApi, route: string, bearer?: string): Test {
  const [method, path = ''] = route.split(' ');
  const asked = method === 'GET' ? api.get(path) : api.post(path, {});
  return bearer === undefined ? asked : asked.set('Authorization', bearer);
}

/** Whether the door was passed; what the route says then is not of interest here. */
async function doorOf(api: TestApi, route: string, bearer?: string): Promise<'open' | 401 | 403> {
  const { status } = await ask(api, route, bearer);
  return status === 401 || status === 403 ? status : 'open';
}

const STRANGERS = [
  undefined,
  'Bearer wrong',
  `Bearer ${ADMIN_TOKEN}x`,
  `Basic ${ADMIN_TOKEN}`,
  ADMIN_TOKEN,
  'Bearer',
  '',
];

describe.each(ROUTES.admin)('%s', (route) => {
  test('opens to the admin token only', async () => {
    expect(await doorOf(keyed, route, `Bearer ${ADMIN_TOKEN}`)).toBe('open');
    expect(await doorOf(keyed, route, `bearer ${ADMIN_TOKEN}`)).toBe('open');
    for (const stranger of STRANGERS)
      expect([stranger, await doorOf(keyed, route, stranger)]).toEqual([stranger, 401]);
    expect(await doorOf(keyed, route, `Bearer ${CLIENT_KEY}`)).toBe(403);
    expect(await doorOf(open, route)).toBe(401);
  });

  test('is closed where no admin token is configured, and says how to set one', async () => {
    for (const bearer of [undefined, 'Bearer ', 'Bearer undefined', `Bearer ${ADMIN_TOKEN}`]) {
      const { status, body } = await ask(withoutAdmin, route, bearer);
      expect([bearer, status]).toEqual([bearer, 401]);
      expect(body.detail).toContain('Set ADMIN_TOKEN');
    }
  });
});

test.each(ROUTES.client)(
  '%s opens to keys and the admin, or to all while there are no keys',
  async (route) => {
    for (const key of [CLIENT_KEY, 'second-key', ADMIN_TOKEN]) {
      expect([key, await doorOf(keyed, route, `Bearer ${key}`)]).toEqual([key, 'open']);
    }
    for (const stranger of STRANGERS)
      expect([stranger, await doorOf(keyed, route, stranger)]).toEqual([stranger, 401]);
    expect(await doorOf(keyed, route, `Bearer ${CLIENT_KEY},second-key`)).toBe(401);
    expect(await doorOf(open, route)).toBe('open');
    expect(await doorOf(open, route, 'Bearer whatever')).toBe('open');
  },
);

test.each([...ROUTES.holder, ...ROUTES.anyone])('%s needs no key', async (route) => {
  expect(await doorOf(keyed, route)).toBe('open');
  expect(await doorOf(keyed, route, 'Bearer wrong')).toBe('open');
});

test('clients are told apart by their key, without anyone seeing it', () => {
  const authenticate = createAuthenticator({ adminToken: 'root', clientApiKeys: ['one', 'two'] });
  const scopes = ['one', 'two', 'root'].map((key) => authenticate(`Bearer ${key}`, 'client').scope);
  expect(new Set(scopes).size).toBe(3);
  expect(scopes[0]).toMatch(/^k[0-9a-f]{8}$/);
  expect(scopes[2]).toBe('admin');
});
