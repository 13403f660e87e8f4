import { describe, expect, test } from '@jest/globals';
import { judgeHosts, judgePools } from './check-api.js';
import { judgeClock } from './check-clock.js';
import { judgeFreeSpace } from './check-disk.js';
import { type ExpectedPort, judgePort } from './check-ports.js';
import { judgeRedis, withoutPassword } from './check-redis.js';
import { checkVersions } from './check-versions.js';
import type { Finding } from './finding.js';

const GOOD = {
  redis_version: '7.0.15',
  redis_mode: 'standalone',
  role: 'master',
  maxmemory: '0',
  maxmemory_policy: 'noeviction',
  aof_enabled: '1',
};

function badOf(findings: Finding[]): string[] {
  return findings.filter(({ status }) => status !== 'ok').map(({ check, status }) => `${check} ${status}`);
}

describe('Redis', () => {
  test('as we want it is well', () => {
    expect(badOf(judgeRedis('there', GOOD))).toEqual([]);
  });

  test.each([
    [{ redis_version: '6.2.1' }, 'redis.version failure'],
    [{ cluster_enabled: '1' }, 'redis.mode failure'],
    [{ role: 'slave' }, 'redis.mode failure'],
    [{ maxmemory_policy: 'allkeys-lru' }, 'redis.eviction warning'],
    [{ maxmemory_policy: 'allkeys-lru', maxmemory: '1000' }, 'redis.eviction failure'],
    [{ aof_enabled: '0' }, 'redis.persistence warning'],
    [{ maxmemory: '1000', used_memory: '950' }, 'redis.memory warning'],
  ])('with %j is not', (change, expected) => {
    const findings = judgeRedis('there', { ...GOOD, ...change });
    expect(badOf(findings)).toEqual([expected]);
    for (const { status, fix } of findings) expect(fix === undefined).toBe(status === 'ok');
  });

  test('is not what answers without a version', () => {
    expect(badOf(judgeRedis('there', {}))).toEqual(['redis.reachable failure']);
  });

  test('has a password that is not shown', () => {
    expect(withoutPassword('redis://me:secret@host:1/2')).toBe('redis://me:***@host:1/2');
  });
});

describe('the clock', () => {
  const reading = (ahead: number, more: object = {}) => ({
    theirs: 1_000_000 - ahead,
    askedAt: 999_990,
    answeredAt: 1_000_010,
    precisionMs: 0,
    ...more,
  });

  test.each([
    [0, 'ok'],
    [400, 'ok'],
    [600, 'warning'],
    [-600, 'warning'],
    [6_000, 'failure'],
    [-60_000, 'failure'],
  ])('%d ms ahead is %s', (ahead, status) => {
    const finding = judgeClock('clock.redis', 'Redis', reading(ahead));
    expect(finding.status).toBe(status);
    if (status !== 'ok')
      expect(finding.message).toContain(`${Math.abs(ahead)} ms ${ahead > 0 ? 'ahead of' : 'behind'}`);
  });

  test('is not accused of what nobody can know: a slow answer, or a date without milliseconds', () => {
    expect(judgeClock('c', 'x', reading(600, { askedAt: 999_000, answeredAt: 1_001_000 })).status).toBe('ok');
    expect(judgeClock('c', 'x', reading(1_400, { precisionMs: 1_000 })).status).toBe('ok');
    expect(judgeClock('c', 'x', reading(-600, { precisionMs: 1_000 })).status).toBe('warning');
  });
});

describe('a port', () => {
  const api: ExpectedPort = {
    check: 'ports.api',
    name: 'the api',
    port: 8080,
    protocol: 'tcp',
    command: /services\/api\/dist\/main\.js/,
    variable: 'PORT',
    answers: false,
  };
  const media: ExpectedPort = {
    check: 'ports.rtc-udp',
    name: "LiveKit's media",
    port: 7882,
    protocol: 'udp',
    command: /livekit/,
    answers: false,
  };

  test('that is free, or ours, is well', () => {
    expect(judgePort(api, undefined)).toMatchObject({
      status: 'ok',
      message: 'Port 8080 is free for the api.',
    });
    const ours = { pid: 5, command: '/usr/bin/node /srv/greenroom/services/api/dist/main.js' };
    expect(judgePort(api, ours)).toMatchObject({
      status: 'ok',
      message: expect.stringContaining('held by the api (pid 5'),
    });
    expect(judgePort({ ...api, answers: true }, {}).status).toBe('ok');
  });

  test('that somebody else holds is named with the holder, and two ways out', () => {
    const finding = judgePort(api, { pid: 77, command: 'python3 -m http.server 8080' });
    expect(finding).toMatchObject({ status: 'failure', fix: 'kill 77, or choose another port: PORT=8090' });
    expect(finding.message).toContain('pid 77: python3 -m http.server 8080');
    expect(judgePort(api, {}).message).toContain('a process of another user');
  });

  test.each([
    'livekit-server --port 7880 --keys APIkey: s3cret',
    'redis-server *:6379 --requirepass=s3cret',
    'worker --url redis://:s3cret@localhost:6379',
    'worker -auth-token s3cret --port 8080',
  ])('tells no secret of its holder: %s', (command) => {
    const { message } = judgePort(api, { pid: 77, command });
    expect(message).toContain(`pid 77: ${command.split(' ')[0]}`);
    expect(message).not.toContain('s3cret');
  });

  test('that has a successor is a warning only', () => {
    expect(judgePort(media, { pid: 9, command: 'other' })).toMatchObject({
      status: 'warning',
      message: expect.stringContaining('7882/udp'),
    });
  });
});

test.each([
  [99, 'failure'],
  [101, 'warning'],
  [401, 'ok'],
])('of 100 bytes that must be free %d are there: %s', (free, status) => {
  expect(judgeFreeSpace('/data', free, 100).status).toBe(status);
});

describe('versions', () => {
  const versions = { cli: '0.2.0', node: '22.1.0', health: undefined, hosts: undefined, livekit: undefined };

  test('that are one and new enough are well', () => {
    expect(
      badOf(checkVersions({ ...versions, livekit: '1.13.5', hosts: [host({ version: '0.2.0' })] })),
    ).toEqual([]);
  });

  test('that are too old, or differ, are named', () => {
    expect(badOf(checkVersions({ ...versions, node: '20.18.3', livekit: '1.8.4' }))).toEqual([
      'versions.node failure',
      'versions.livekit failure',
    ]);
    expect(badOf(checkVersions({ ...versions, hosts: [host({ version: '0.1.0' })] }))).toEqual([
      'versions.spawner warning',
    ]);
  });
});

function host(more: object) {
  return {
    host: 'a',
    state: 'up' as const,
    version: null,
    capacity: 10,
    running: 1,
    calls: 1,
    warm: 0,
    starting: 0,
    killsLeft: 0,
    memory: { freeBytes: 1, isShort: false },
    startedAt: null,
    lastSeenAt: null,
    drain: null,
    ...more,
  };
}

test('hosts: none is a failure, and so is one that is not heard; a full, a draining and a short one are warnings', () => {
  expect(badOf(judgeHosts([]))).toEqual(['hosts.up failure']);
  expect(badOf(judgeHosts([host({}), host({ state: 'unreachable' })]))).toEqual(['hosts.up failure']);
  expect(badOf(judgeHosts([host({ state: 'unreachable' })]))).toEqual(['hosts.up failure']);
  const limping = [
    host({}),
    host({ running: 10 }),
    host({ state: 'draining' }),
    host({ memory: { freeBytes: 1, isShort: true } }),
  ];
  expect(badOf(judgeHosts(limping))).toEqual(Array(3).fill('hosts.up warning'));
});

test('a profile whose agents fail to start is a failure with its reason', () => {
  const pool = {
    profile: 'sales',
    target: 1,
    ready: 0,
    warming: 0,
    policy: { kind: 'fixed' as const, size: 1 },
    why: '',
    starts: 0,
    warmStarts: 0,
  };
  const breaker = {
    status: 'open' as const,
    failures: 5,
    reason: 'The agent exited with code 3.',
    openUntil: '',
  };
  expect(judgePools([pool])[0]?.status).toBe('ok');
  expect(judgePools([{ ...pool, breaker }])[0]).toMatchObject({
    status: 'failure',
    message: expect.stringContaining('exited with code 3'),
  });
});
