import { startRedis, type TestRedis } from '@greenroom/test-kit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { ADMIN_TOKEN, CLIENT_KEY, openTestApi, type TestApi } from '../testing/test-api.js';
import { Door } from './door.js';

let redis: TestRedis;
let api: TestApi;

beforeAll(async () => {
  redis = await startRedis();
  api = await openTestApi({ redis, env: { CLIENT_API_KEYS: CLIENT_KEY, REDIS_KEY_PREFIX: 'ours:' } });
});
afterAll(async () => {
  await api.close();
  await redis.stop();
});

const PAGE = '/api/admin/queues';

/** Goes through the door. @returns what a browser sends from then on */
async function enter(): Promise<string> {
  const { headers } = await api.adminPost('/api/admin/door');
  return String(headers['set-cookie']?.[0]).split(';')[0] ?? '';
}

const look = async (path = '', cookie?: string) =>
  request(api.app)
    .get(PAGE + path)
    .set('Cookie', cookie ?? (await enter()));

describe('the door', () => {
  test('opens to the admin token alone, for 15 minutes, and gives a cookie that no page can read and no other site can use', async () => {
    expect((await api.post('/api/admin/door')).status).toBe(401);
    const keyed = await api.post('/api/admin/door').set('Authorization', `Bearer ${CLIENT_KEY}`);
    expect(keyed.body.code).toBe('forbidden');
    const { status, body, headers } = await api.adminPost('/api/admin/door');
    expect([status, body.success, body.path]).toEqual([200, true, PAGE]);
    const leftMs = Date.parse(body.expiresAt) - Date.now();
    expect(leftMs).toBeGreaterThan(14.9 * 60_000);
    expect(leftMs).toBeLessThanOrEqual(15 * 60_000);
    const [cookie = '', ...attributes] = String(headers['set-cookie']?.[0]).split('; ');
    expect(attributes).toEqual([`Path=${PAGE}`, 'Max-Age=900', 'HttpOnly', 'SameSite=Strict']);
    expect(cookie).not.toContain(ADMIN_TOKEN);
    expect(api.log()).not.toContain(cookie.split('=')[1]);
  });

  test('over HTTPS its cookie goes over nothing else', () => {
    expect(new Door('token').open({ isSecure: true }).cookie).toMatch(/; Secure$/);
  });

  test('shuts when its time is over; what is forged, of another token, or of none, never opened it', () => {
    let now = 1_000_000;
    const door = new Door('token', () => now);
    const pass = (of: Door) => of.open({ isSecure: false }).cookie.split(';')[0] ?? '';
    const mine = pass(door);
    expect(door.isOpenTo(mine)).toBe(true);
    expect(door.isOpenTo(`theme=dark; ${mine}; other=1`)).toBe(true);
    expect(door.isOpenTo(mine.replace('=1', '=2'))).toBe(false);
    expect(door.isOpenTo(`${mine}x`)).toBe(false);
    expect(door.isOpenTo(mine.replace(/\..*/, '.'))).toBe(false);
    expect(door.isOpenTo(pass(new Door('another', () => now)))).toBe(false);
    expect(new Door(undefined, () => now).isOpenTo(mine)).toBe(false);
    expect(door.isOpenTo(undefined)).toBe(false);
    now += 15 * 60_000 - 1;
    expect(door.isOpenTo(mine)).toBe(true);
    now += 1;
    expect(door.isOpenTo(mine)).toBe(false);
  });
});

test.each([
  '',
  '/',
  '/queue/spawn',
  '/api/queues',
  '/static/favicon-32x32.png',
  '/greenroom/board.js',
  '/no/such/thing',
])('without the door nothing of the page is to be seen: %s', async (path) => {
  const { status, body, headers } = await request(api.app).get(PAGE + path);
  expect([status, body.code]).toEqual([401, 'unauthorized']);
  expect(headers['content-type']).toBe('application/problem+json');
});

test('the page comes with scripts of its own only, and may fetch nothing from elsewhere', async () => {
  const { status, text, headers } = await look();
  expect(status).toBe(200);
  expect(text).toContain(`<base href="${PAGE}/" />`);
  const scripts = [...text.matchAll(/<script defer src="([^"]+)"/g)].map(([, path]) => path);
  expect(scripts).toContain('greenroom/board.js');
  expect(scripts.length).toBeGreaterThan(1);
  for (const script of scripts)
    expect((await look(`/${script}`)).headers['content-type']).toContain('javascript');
  expect((await look('/greenroom/board.css')).headers['content-type']).toContain('css');
  const policy = String(headers['content-security-policy']);
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self';");
  expect(policy).toContain("connect-src 'self'");
  const elsewhere = await api.get('/api/health');
  expect(elsewhere.headers['content-security-policy']).not.toBe(policy);
  expect(elsewhere.headers['content-security-policy']).not.toContain("style-src 'self' 'unsafe-inline'");
});

test('it shows the doorbell of this deployment, with what waits in it', async () => {
  await api.schema.doorbell.ring('default', { priority: 'caller', count: 2 });
  const { body } = await look('/api/queues');
  expect(body.queues).toHaveLength(1);
  expect(body.queues[0]).toMatchObject({ name: 'spawn', readOnlyMode: true });
  expect(body.queues[0].counts.prioritized).toBe(2);
});

test.each([
  ['put', '/api/queues/spawn/pause'],
  ['put', '/api/queues/spawn/empty'],
  ['put', '/api/queues/spawn/clean/prioritized'],
  ['put', '/api/queues/spawn/obliterate'],
  ['put', '/api/queues/pause'],
  ['post', '/api/queues/spawn/add'],
  ['delete', '/api/queues/spawn'],
] as const)('nothing can be changed there: %s %s', async (method, path) => {
  await api.schema.doorbell.ring('default', { priority: 'caller' });
  const before = await api.schema.doorbell.queue.getJobCounts();
  const browser = request(api.app);
  const answer = await browser[method](PAGE + path).set('Cookie', await enter());
  expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, HEAD']);
  expect(await api.schema.doorbell.queue.getJobCounts()).toEqual(before);
});

test('its cookie opens nothing else', async () => {
  const cookie = await enter();
  for (const path of ['/api/sessions', '/api/pool', '/api/admin/door']) {
    const { status } = await request(api.app).get(path).set('Cookie', cookie);
    expect([401, 405]).toContain(status);
  }
});

test('the log and the metrics know one route for all of it', async () => {
  await look('/queue/spawn');
  expect(api.log()).toContain(`"route":"${PAGE}"`);
  expect(api.log()).not.toContain('/queue/spawn');
});
