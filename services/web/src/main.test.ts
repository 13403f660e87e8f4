import { once } from 'node:events';
import http from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  baseEnvironment,
  freePort,
  type RunningProcess,
  startProcess,
  startRedis,
  type TestRedis,
} from '@greenroom/test-kit';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const API = fileURLToPath(new URL('../../api/dist/main.js', import.meta.url));
const ADMIN_TOKEN = 'an-admin-token-for-this-test';

let redis: TestRedis;
let api: RunningProcess;
let web: RunningProcess;
let url: string;

beforeAll(async () => {
  redis = await startRedis();
  const ports = { api: await freePort(), web: await freePort() };
  const env = {
    ...baseEnvironment(),
    REDIS_URL: redis.url,
    LIVEKIT_URL: 'ws://127.0.0.1:9',
    LIVEKIT_API_KEY: 'key',
    LIVEKIT_API_SECRET: 'a-livekit-secret-for-this-test',
    ADMIN_TOKEN,
    PORT: String(ports.api),
    WEB_PORT: String(ports.web),
    API_URL: `http://127.0.0.1:${ports.api}`,
    API_DRAIN_DELAY: '0',
    TRUST_PROXY: '127.0.0.1,::1',
    RATE_LIMIT_PER_MINUTE: '1',
  };
  const start = (main: string, port: number): Promise<RunningProcess> =>
    startProcess({
      command: process.execPath,
      args: [main],
      env,
      readyWhen: { url: `http://127.0.0.1:${port}/readyz` },
    });
  [api, web] = await Promise.all([start(API, ports.api), start(MAIN, ports.web)]);
  url = `http://127.0.0.1:${ports.web}`;
});
afterAll(async () => {
  await web.stop();
  await api.stop();
  await redis.stop();
});

test.each([
  ['/', 'Greenroom'],
  ['/console', 'Greenroom console'],
  ['/console/session/session_abc', 'Greenroom console'],
])(
  '%s is a page that may load scripts from here alone, and is asked for anew each time',
  async (path, title) => {
    const answer = await fetch(url + path);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain(`<title>${title}</title>`);
    expect(answer.headers.get('cache-control')).toBe('no-cache');
    expect(answer.headers.get('content-security-policy')).toContain("script-src 'self';style-src 'self';");
    expect(answer.headers.get('permissions-policy')).toContain('microphone=(self)');
  },
);

test('what has a hash in its name is kept for ever, and is sent compressed', async () => {
  const page = await (await fetch(url)).text();
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(page)?.[1] ?? '';
  const answer = await fetch(url + script);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  expect(answer.headers.get('content-encoding')).toBeTruthy();
});

test('the api answers under the origin of the page, with its own headers and for its own callers', async () => {
  const health = await fetch(`${url}/api/health`);
  expect(await health.json()).toMatchObject({ dependencies: { redis: { status: 'up' } } });
  expect(health.headers.get('x-request-id')).toBeTruthy();

  const wrong = await fetch(`${url}/api/sessions`, { headers: { Authorization: 'Bearer wrong' } });
  expect([wrong.status, ((await wrong.json()) as { code: string }).code]).toEqual([401, 'unauthorized']);
  const right = await fetch(`${url}/api/sessions`, { headers: { Authorization: `Bearer ${ADMIN_TOKEN}` } });
  expect(right.status).toBe(200);
});

test('callers behind it are told apart, whoever they say that they are', async () => {
  const start = async (localAddress: string, claimed: string): Promise<string> => {
    const request = http.request(`${url}/api/session/start`, {
      method: 'POST',
      localAddress,
      headers: { 'X-Forwarded-For': claimed },
    });
    request.end();
    const [answer] = await once(request, 'response');
    return ((await json(answer)) as { code: string }).code;
  };
  // There is no LiveKit here: what matters is who is refused for coming too often.
  expect(await start('127.0.0.2', '192.0.2.1')).toBe('livekit_unavailable');
  expect(await start('127.0.0.2', '192.0.2.2')).toBe('rate_limited');
  expect(await start('127.0.0.3', '192.0.2.2')).toBe('livekit_unavailable');
});

test('an event comes through at once, not when the stream ends', async () => {
  expect(await readUntil(await openStream(), 'event: snapshot')).toContain('event: snapshot');
});

function openStream(): Promise<Response> {
  return fetch(`${url}/api/sessions/events`, { headers: { Authorization: `Bearer ${ADMIN_TOKEN}` } });
}

/** What is there, and how the stream goes on: until `wanted` has come, or it is over. */
async function readUntil(stream: Response, wanted: string): Promise<string> {
  let text = '';
  for await (const chunk of stream.body ?? []) {
    text += new TextDecoder().decode(chunk as Uint8Array);
    if (text.includes(wanted)) break;
  }
  return text;
}

test.each(['/metrics.json', '/console.html/x', '/assets/none.js', '/apis', '/../package.json', '/%zz'])(
  'there is no %s',
  async (path) => {
    const answer = await fetch(url + path);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
  },
);

test.each(['/calll', '/console.html/x', '/assets/none.js', '/%zz'])(
  'a person who opens %s gets a page that leads to the call screen',
  async (path) => {
    const answer = await fetch(url + path, {
      headers: { Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' },
    });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
    expect([answer.headers.get('vary'), answer.headers.get('cache-control')]).toEqual([
      expect.stringContaining('Accept'),
      'no-store',
    ]);
    expect(answer.headers.get('content-security-policy')).toContain("style-src 'self'");
    const page = await answer.text();
    expect(page).toContain('<a href="/">');
    // Nothing that the policy forbids.
    expect(page).not.toMatch(/<script|<style|style=/);
  },
);

test('a stream of an api that is killed breaks off at once', async () => {
  const over = readUntil(await openStream(), 'never').then(
    () => 'over',
    () => 'over',
  );
  await api.kill();
  expect(await Promise.race([over, sleep(3_000, 'still open')])).toBe('over');
});

test('without the api the page is still there, and says so with a code of its own', async () => {
  expect((await fetch(url)).status).toBe(200);
  const answer = await fetch(`${url}/api/profiles`);
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
  expect(await answer.json()).toMatchObject({ success: false, code: 'api_unreachable' });
  expect(web.output()).not.toContain(ADMIN_TOKEN);
});
