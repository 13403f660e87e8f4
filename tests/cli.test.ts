import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type RunningProcess, startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { agent } from './support/agents.js';
import { greenroom, greenroomOnTerminal, operatorOf, type Ran, startGreenroom } from './support/greenroom.js';
import { startReady, waitForPool, waitForStatus } from './support/sessions.js';

const UNREACHABLE = 'http://127.0.0.1:9';
// oxlint-disable-next-line no-control-regex -- colours are what is looked for
const COLOURS = /\u001b\[\d+m/g;

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({
    agentCommand: agent('counts-slowly.sh'),
    redis: { persistent: true },
    env: { POOL_TARGET: '1', HEALTH_CHECK_INTERVAL: '1', DRAIN_TIMEOUT: '60' },
  });
  await waitForPool(stack, 1);
}, 60_000);
afterAll(async () => {
  // Calls that are left would be waited for until DRAIN_TIMEOUT.
  await stack.request('POST', '/api/sessions/end', { all: true });
  await stack.stop();
}, 60_000);

const staying: RunningProcess[] = [];
afterEach(() => Promise.all(staying.splice(0).map((process) => process.stop())));

async function stay(...args: string[]): Promise<RunningProcess> {
  const process = await startGreenroom(args, operatorOf(stack));
  staying.push(process);
  return process;
}

const run = (...args: string[]): Promise<Ran> => greenroom(args, operatorOf(stack));

async function ok(...args: string[]): Promise<Ran> {
  const ran = await run(...args);
  expect({ args, ...ran }).toMatchObject({ args, code: 0, stderr: '' });
  return ran;
}

describe('looking', () => {
  let ada: string;
  let bob: string;
  beforeAll(async () => {
    ada = await startReady(stack, { userId: 'ada' });
    bob = await startReady(stack, { userId: 'bob' });
  });

  test('ps lists who is there, filtered, with what agents use, and as JSON', async () => {
    await waitFor(async () => {
      const { body } = await stack.request('GET', '/api/sessions?userId=ada');
      return body.sessions[0].memoryBytes > 0;
    });
    const [all, ofBob, none, ids, json] = await Promise.all([
      ok('ps'),
      ok('ps', '--user', 'bob'),
      ok('ps', '-s', 'ending'),
      ok('ps', '-q', '-s', 'ready'),
      ok('ps', '--json', '--user', 'ada'),
    ]);
    expect(all.stdout).toMatch(/^ID +STATE +USER +PROFILE +HOST +START +AGE +CPU +MEM +RESTARTS\n/);
    expect(all.stdout).toMatch(
      new RegExp(`^${ada} +ready +ada +default +test-host +(warm|cold) +\\d+s +\\d+% +[\\d.]+[KM] +0$`, 'm'),
    );
    expect(all.stdout).not.toMatch(COLOURS);
    expect(ofBob.stdout.trim().split('\n')).toHaveLength(2);
    expect(none.stdout).toBe('No session like that.\n');
    expect(ids.stdout.trim().split('\n').sort()).toEqual([ada, bob].sort());
    expect(json.json().sessions).toMatchObject([{ sessionId: ada, userId: 'ada' }]);
  });

  test('on a terminal ps fits into it, in colour unless NO_COLOR says otherwise, with ids as short as they may be typed', async () => {
    const [onScreen, plain] = await Promise.all([
      greenroomOnTerminal(['ps'], operatorOf(stack), { columns: 60 }),
      greenroomOnTerminal(['ps'], operatorOf(stack, { NO_COLOR: '1' }), { columns: 60 }),
    ]);
    const lines = onScreen.stdout.replaceAll(COLOURS, '').trim().split(/\r?\n/);
    expect(lines.length).toBeGreaterThan(2);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
    expect(onScreen.stdout).toMatch(COLOURS);
    expect(onScreen.stdout).toContain(ada.slice(0, 12));
    expect(onScreen.stdout).not.toContain(ada);
    expect(plain.stdout).not.toMatch(COLOURS);
  });

  test('show tells everything about a session, by the beginning of its id', async () => {
    await waitFor(
      async () => (await stack.request('GET', `/api/session/${ada}/load`)).body.samples.length > 1,
    );
    const [shown, json] = await Promise.all([ok('show', ada.slice(0, 14)), ok('show', ada, '--json')]);
    const { stdout } = shown;
    expect(stdout).toMatch(new RegExp(`^${ada}\nstate +ready\nuser +ada\n`));
    expect(stdout).toMatch(/^host +test-host$/m);
    expect(stdout).toMatch(/^agent +pid \d+, launch 1, 0 restarts$/m);
    expect(stdout).toMatch(/^uses +\d+% CPU, [\d.]+[KM], \d processes$/m);
    expect(stdout).toMatch(/^processes\n(.*\n)*? +\d+ of \d+ .*counts-slowly\.sh/m);
    expect(stdout).toMatch(/^timeline\n(.*\n)* {2}\d\d:\d\d:\d\d +\+0 ms {2}asked for$/m);
    expect(json.json()).toMatchObject({
      session: { sessionId: ada },
      processes: { session_id: ada },
      timeline: { sessionId: ada },
    });
  });

  test('hosts and pool are listed', async () => {
    const [hosts, pool, json, nobody] = await Promise.all([
      ok('hosts'),
      ok('pool'),
      ok('hosts', '--json'),
      run('pool', '-p', 'nobody'),
    ]);
    expect(hosts.stdout).toMatch(/^test-host +up +\d+\/60 /m);
    expect(pool.stdout).toMatch(/^default +\d +\d +1 +\d+% +fixed 1 /m);
    expect(json.json().hosts).toHaveLength(1);
    expect(nobody.code).toBe(6);
  });

  test('logs shows the last lines, and -f goes on until the session is over', async () => {
    const id = await startReady(stack, { userId: 'cleo' });
    const following = await stay('logs', '-f', '-n', '2', id);
    await following.waitForLine(/^line \d+$/);
    const seen = Number(/\d+/.exec(following.output())?.[0]);
    await following.waitForLine(new RegExp(`^line ${seen + 4}$`));
    expect((await ok('logs', id, '--tail', '1')).stdout).toMatch(/^line \d+\n$/);
    await stack.request('POST', '/api/session/end', { sessionId: id });
    expect(await following.exited).toMatchObject({ code: 0 });
    // A session that is over still has its log.
    await waitForStatus(stack, id, 404);
    const [last] = (await ok('logs', '--json', id)).stdout.split('\n');
    expect(JSON.parse(last ?? '')).toEqual({ sessionId: id, line: expect.any(String) });
  });

  test('ps --watch is told what happens, and leaves on Ctrl-C', async () => {
    const watching = await stay('ps', '--watch', '--json');
    await watching.waitForLine(/^\{"event":"snapshot"/);
    const id = await startReady(stack, { userId: 'dora' });
    await watching.waitForLine(new RegExp(`^\\{"event":"session"(?=.*"status":"ready").*"${id}"`));
    watching.signal('SIGINT');
    expect(await watching.exited).toMatchObject({ code: 130 });
  });
});

describe('doing', () => {
  test('pool resize and policy hold at once, and wrong ones are refused', async () => {
    const resized = await ok('pool', 'resize', '2');
    expect(resized.stdout).toBe('The pool of default is to hold 2 from now on (before: 1).\n');
    await waitForPool(stack, 2);
    const policy = await ok(
      'pool',
      'policy',
      'buffer',
      '--size',
      '20%',
      '--min',
      '1',
      '--max',
      '3',
      '--json',
    );
    expect(policy.json()).toMatchObject({
      profile: 'default',
      policy: { kind: 'buffer', size: '20%', min: 1, max: 3 },
    });
    await ok('pool', 'resize', '1');
    const [noNumber, nobody, wrong] = await Promise.all([
      run('pool', 'resize', 'many'),
      run('pool', 'resize', '3', '--profile', 'nobody'),
      run('pool', 'policy', 'rate', '--min', '5', '--max', '2'),
    ]);
    expect([noNumber.code, nobody.code, wrong.code]).toEqual([2, 6, 2]);
    expect(wrong.stderr).toContain('(invalid_request)');
  });

  test('end ends the sessions named, with the reason in the history; a wrong id among them ends none', async () => {
    const one = await startReady(stack, { userId: 'eve' });
    const two = await startReady(stack, { userId: 'fay' });
    expect((await run('end', one, 'zzzzzzzz')).code).toBe(6);
    expect((await stack.request('GET', `/api/session/${one}`)).body.status).toBe('ready');
    const { stdout } = await ok('end', one, two.slice(0, 16), '--reason', 'asked by phone');
    expect(stdout).toBe(`${one} is ending\n${two} is ending\n`);
    await Promise.all([one, two].map((id) => waitForStatus(stack, id, 404)));
    const [shown, history, again] = await Promise.all([
      ok('show', one),
      ok('ps', '--history', '--user', 'eve'),
      run('end', two, '--json'),
    ]);
    expect(shown.stdout).toMatch(/^ended +admin_ended, by admin: asked by phone$/m);
    expect(history.stdout).toMatch(new RegExp(`^${one} +admin_ended +eve `, 'm'));
    expect(again.code).toBe(6);
    expect(again.json()).toMatchObject({ ended: [], failed: [{ sessionId: two, code: 'session_ended' }] });
  });

  test('end ends all that match, after saying how many, and only when that is wanted', async () => {
    const ids = [await startReady(stack, { userId: 'kit' }), await startReady(stack, { userId: 'lou' })];
    const ofLou = (typed: string, ...args: string[]) =>
      greenroomOnTerminal(['end', '--user', 'lou', ...args], operatorOf(stack), { typed });
    const [counted, none, refused] = await Promise.all([
      ok('end', '--user', 'kit', '--dry-run'),
      ok('end', '--older-than', '2d'),
      ofLou('n\n'),
    ]);
    expect(counted.stdout).toBe('1 session would be ended.\n');
    expect(none.stdout).toBe('No session like that.\n');
    expect(refused.stdout).toMatch(/End 1 session\? \[y\/N\] [\s\S]*Nothing was ended\./);
    expect(refused.code).toBe(1);
    expect((await stack.request('GET', `/api/session/${ids[1]}`)).body.status).toBe('ready');
    const [agreed, unasked] = await Promise.all([
      ofLou('y\n', '--now'),
      ok('end', '--user', 'kit', '--yes', '--json'),
    ]);
    expect(agreed).toMatchObject({ code: 0, stdout: expect.stringContaining('1 session is ending') });
    expect(unasked.json()).toEqual({ matched: 1, asked: 1, dryRun: false });
    await Promise.all(ids.map((id) => waitForStatus(stack, id, 404)));
  });

  test('drain takes a host out until undrain, and --wait waits for its last call', async () => {
    await ok('end', '--status', 'ready', '--yes');
    const id = await startReady(stack, { userId: 'gil' });
    const draining = await stay('drain', 'test-host', '--wait');
    await draining.waitForLine(/^test-host drains: \d calls? left\.$/);
    expect((await ok('hosts')).stdout).toMatch(/^test-host +draining, \d left /m);
    expect(draining.isRunning()).toBe(true);
    await ok('end', id);
    expect(await draining.exited).toMatchObject({ code: 0 });
    expect(draining.output()).toContain('test-host is idle.');
    expect((await ok('undrain', 'test-host', '--json')).json()).toEqual({
      host: 'test-host',
      draining: false,
    });
    await waitForPool(stack, 1);
    const [nowhere, alive] = await Promise.all([
      run('drain', 'nowhere'),
      run('host', 'lost', 'test-host', '--yes'),
    ]);
    expect(nowhere.code).toBe(6);
    expect(alive).toMatchObject({ code: 3, stderr: expect.stringContaining('(host_reachable)') });
  });
});

describe('what cannot be done says why, what next, and how by its exit code', () => {
  const CASES: [string[], Record<string, string>, number, string, string][] = [
    [['show', 'zzzz'], {}, 6, 'No session has an id that begins with zzzz. (not_found)', 'greenroom ps'],
    [['ps'], { ADMIN_TOKEN: '' }, 7, '(unauthorized)', 'ADMIN_TOKEN='],
    [['hosts'], { ADMIN_TOKEN: 'wrong' }, 7, '(unauthorized)', 'ADMIN_TOKEN='],
    [['ps'], { API_URL: UNREACHABLE }, 3, `No answer from ${UNREACHABLE}`, 'npm start'],
    [['pss'], {}, 2, "unknown command 'pss'", 'Did you mean ps?'],
    [['ps', '--sort'], {}, 2, "unknown option '--sort'", '--help'],
    [['ps', '-s', 'gone'], {}, 2, 'Allowed choices are', '--help'],
    [['ps', '--api-url', 'here'], {}, 2, 'here is no URL.', 'http://localhost:8080'],
    [['end'], {}, 2, 'Nothing says which sessions to end', '--help'],
    [['end', 'x', '--all'], {}, 2, 'not both', '--help'],
    [['end', '--all'], {}, 2, 'There is no terminal to ask on.', '--yes'],
  ];

  test('for people', async () => {
    await startReady(stack, { userId: 'ida' });
    await Promise.all(
      CASES.map(async ([args, more, code, message, next]) => {
        const ran = await greenroom(args, operatorOf(stack, more));
        expect({ args, ...ran }).toMatchObject({ args, code, stdout: '' });
        expect(ran.stderr).toContain(message);
        expect(ran.stderr).toContain(next);
        expect(ran.stderr).not.toContain(stack.adminToken);
      }),
    );
  });

  test('for programs, as JSON', async () => {
    const ran = await greenroom(['ps', '--json'], operatorOf(stack, { ADMIN_TOKEN: 'wrong' }));
    expect(ran).toMatchObject({ code: 7, stdout: '' });
    const error = { code: 'unauthorized', message: expect.any(String), next: expect.any(String) };
    expect(JSON.parse(ran.stderr)).toEqual({ error });
  });
});

test('Ctrl-C does not wait for an api that hangs', async () => {
  let isAsked = false;
  const hanging = createServer(() => {
    isAsked = true;
  });
  await new Promise<void>((resolve) => void hanging.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = hanging.address() as AddressInfo;
    const env = operatorOf(stack, { API_URL: `http://127.0.0.1:${port}` });
    const waiting = await startGreenroom(['hosts'], env);
    staying.push(waiting);
    await waitFor(() => isAsked);
    const pressedAt = performance.now();
    waiting.signal('SIGINT');
    expect(await waiting.exited).toMatchObject({ code: 130 });
    expect(performance.now() - pressedAt).toBeLessThan(5_000);
  } finally {
    hanging.closeAllConnections();
    hanging.close();
  }
});

describe('completion', () => {
  test('offers commands, and the sessions, profiles and hosts that are there', async () => {
    const id = await startReady(stack, { userId: 'hal' });
    const offered = async (...words: string[]) =>
      (await ok('complete', '--', ...words)).stdout.split('\n').map((line) => line.split('\t')[0]);
    const [commands, sessions, hosts, profiles, states] = await Promise.all([
      offered('dr'),
      offered('show', ''),
      offered('drain', ''),
      offered('ps', '--profile', ''),
      offered('ps', '--status', 'rea'),
    ]);
    expect(commands).toEqual(['drain', ':4', '']);
    expect(sessions).toContain(id);
    expect(hosts).toContain('test-host');
    expect(profiles).toContain('default');
    expect(states).toEqual(['ready', ':4', '']);
    // Profiles are no secret: they are offered to who may not see the rest.
    const words = ['complete', '--', 'ps', '--profile', ''];
    expect((await greenroom(words, operatorOf(stack, { ADMIN_TOKEN: '' }))).stdout).toContain('default');
  });

  test('prints what each shell sources, and does not hang where nobody answers', async () => {
    const away = greenroom(['complete', '--', 'show', ''], operatorOf(stack, { API_URL: UNREACHABLE }));
    const scripts = await Promise.all(['bash', 'zsh', 'fish'].map((shell) => ok('completion', shell)));
    for (const { stdout } of scripts) expect(stdout).toContain('greenroom complete --');
    expect(await away).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('doctor', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  const settings = (more: Record<string, string> = {}) =>
    operatorOf(stack, {
      REDIS_URL: stack.redis.url,
      LIVEKIT_URL: stack.livekit.url,
      LIVEKIT_API_KEY: stack.livekit.apiKey,
      LIVEKIT_API_SECRET: stack.livekit.apiSecret,
      STATE_DIR: stack.stateDir,
      SPAWNER_PORT: new URL(stack.spawnerUrl).port,
      WEB_PORT: '9',
      AGENT_COMMAND: agent('counts-slowly.sh'),
      ...more,
    });

  interface Found {
    check: string;
    status: string;
    fix: string;
  }

  async function badOf(more: Record<string, string>) {
    const ran = await greenroom(['doctor', '--json'], settings(more));
    const bad: Found[] = ran.json().findings.filter(({ status }: Found) => status !== 'ok');
    return {
      code: ran.code,
      bad: bad.map(({ check, status }) => `${check} ${status}`),
      fixes: bad.map(({ fix }) => fix),
    };
  }

  test('finds a healthy deployment well, everything looked at', async () => {
    const [ran, onScreen] = await Promise.all([
      greenroom(['doctor', '--json'], settings()),
      greenroomOnTerminal(['doctor'], settings(), { columns: 80 }),
    ]);
    expect(ran.json()).toMatchObject({ warnings: 0, failures: 0 });
    expect(ran.code).toBe(0);
    const checks = ran.json().findings.map(({ check }: Found) => check);
    const areas = [
      'api: reachable token redis livekit capacity',
      'hosts: up',
      'pools: starting',
      'redis: reachable version mode eviction persistence',
      'livekit: reachable key',
      'versions: node api spawner livekit',
      'clock: api redis livekit',
      'ports: api spawner web redis livekit rtc-tcp rtc-udp',
      'disk: space',
      'audio: speech',
    ];
    for (const [area, what = ''] of areas.map((line) => line.split(': '))) {
      expect(checks).toEqual(expect.arrayContaining(what.split(' ').map((name) => `${area}.${name}`)));
    }
    const lines = onScreen.stdout.replaceAll(COLOURS, '').trim().split(/\r?\n/);
    expect(lines.filter((line) => /^[✗!]/.test(line))).toEqual([]);
    expect(lines.at(-1)).toBe(`All ${checks.length} checks are well.`);
    expect(onScreen.stdout).not.toContain(stack.livekit.apiSecret);
  });

  test('names what is broken, that alone, and says what to do', async () => {
    const cases: [Record<string, string>, string, string][] = [
      [{ REDIS_URL: 'redis://127.0.0.1:9' }, 'redis.reachable failure', 'systemctl start redis-server'],
      [{ LIVEKIT_API_SECRET: 'x'.repeat(40) }, 'livekit.key failure', 'keys:'],
      [{ LIVEKIT_URL: 'ws://127.0.0.1:9' }, 'livekit.reachable failure', 'livekit-server --config'],
      [{ DISK_LOW_WATER_MB: '90000000' }, 'disk.space failure', 'df -h'],
      [{ ADMIN_TOKEN: 'wrong' }, 'api.token failure', 'Give the token'],
    ];
    await Promise.all(
      cases.map(async ([more, expected, fix]) => {
        const { code, bad, fixes } = await badOf(more);
        expect({ code, bad }).toEqual({ code: 1, bad: [expected] });
        expect(fixes[0]).toContain(fix);
      }),
    );
  });

  test('names a port that somebody else holds, with who that is', async () => {
    const port = await listen(createServer());
    const { code, bad, fixes } = await badOf({ SPAWNER_PORT: String(port) });
    expect({ code, bad }).toEqual({ code: 1, bad: ['ports.spawner failure'] });
    expect(fixes[0]).toBe(`kill ${process.pid}, or choose another port: SPAWNER_PORT=${port + 10}`);
  });

  test('notices that the clocks differ, by the Date of the answers', async () => {
    const port = await listen(
      createServer((request, response) => {
        const { authorization = '' } = request.headers;
        void fetch(`${stack.apiUrl}${request.url}`, { headers: { authorization } }).then(async (answer) => {
          response.writeHead(answer.status, { date: new Date(Date.now() + 90_000).toUTCString() });
          response.end(await answer.text());
        });
      }),
    );
    const { code, bad } = await badOf({ API_URL: `http://127.0.0.1:${port}` });
    expect({ code, bad }).toEqual({ code: 1, bad: ['clock.api failure'] });
  });

  test('where nothing runs, says how to start it', async () => {
    const nothing = {
      API_URL: UNREACHABLE,
      REDIS_URL: 'redis://127.0.0.1:9',
      LIVEKIT_URL: 'ws://127.0.0.1:9',
    };
    const [{ code, bad, fixes }, inWords] = await Promise.all([
      badOf(nothing),
      greenroom(['doctor', '-q'], settings(nothing)),
    ]);
    expect(inWords.stdout).toMatch(
      /^✗ redis +Redis at \S+ does not answer \(ECONNREFUSED\)\.\n +→ Start it: /m,
    );
    expect(inWords.stdout).not.toContain('✓');
    expect(inWords.stdout).toMatch(/^3 failures; \d+ checks are well\.$/m);
    expect(code).toBe(1);
    expect(bad.slice(0, 3)).toEqual([
      'api.reachable failure',
      'redis.reachable failure',
      'livekit.reachable failure',
    ]);
    expect(fixes[0]).toContain('npm start');
  });

  async function listen(server: Server): Promise<number> {
    servers.push(server);
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }
});
