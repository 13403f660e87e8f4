import { createServer, type Server } from 'node:http';
import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeTempDir, startProcess, startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { agent } from '../support/agents.js';
import { type AlteredApi, startAlteredApi } from '../support/altered-api.js';
import { CLI, greenroom, greenroomOnTerminal, operatorOf, type Ran } from '../support/greenroom.js';
import { COLOURS, Operator, UNREACHABLE } from '../support/operator.js';
import { startReady, waitForPool } from '../support/sessions.js';

let stack: TestStack;
let operator: Operator;
let misled: AlteredApi;
let unjoined: Promise<Ran>;
beforeAll(async () => {
  stack = await startStack({
    agentCommand: agent('counts-slowly.sh'),
    redis: { persistent: true },
    env: { POOL_TARGET: '1' },
  });
  operator = new Operator(stack);
  await waitForPool(stack, 1);
  misled = await startAlteredApi(stack, { fields: { livekitUrl: 'ws://127.0.0.1:9' } });
  // It tries for 15 s; the other tests go on meanwhile.
  unjoined = greenroom(['call', '--name', 'Nora', '--say', 'hi'], operatorOf(stack, { API_URL: misled.url }));
}, 60_000);
afterEach(() => operator.leave());
afterAll(async () => {
  await unjoined;
  misled?.stop();
  await stack.stop();
}, 60_000);

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

describe('where the api hangs', () => {
  let hanging: Server;
  let url: string;
  let asked: string[];
  beforeAll(async () => {
    hanging = createServer((request, response) => {
      asked.push(request.url ?? '');
      const started = {
        sessionId: 'never',
        status: 'starting',
        prewarmed: false,
        livekitUrl: 'ws://127.0.0.1:9',
      };
      if (request.url === '/api/session/start') response.end(JSON.stringify({ ...started, token: 'none' }));
    });
    await new Promise<void>((resolve) => void hanging.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(hanging.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    asked = [];
  });
  afterAll(() => {
    hanging.closeAllConnections();
    hanging.close();
  });

  test('Ctrl-C does not wait for it', async () => {
    const waiting = await operator.stay(['hosts'], { API_URL: url });
    await waitFor(() => asked.length > 0);
    const pressedAt = performance.now();
    waiting.signal('SIGINT');
    expect(await waiting.exited).toMatchObject({ code: 130 });
    expect(performance.now() - pressedAt).toBeLessThan(5_000);
  });

  test('a call waits until its end is taken, and whoever presses Ctrl-C once more does not', async () => {
    const call = await operator.stay(['call', '--say', 'hi'], { API_URL: url });
    await call.waitForLine(/^start answered /, 20_000);
    call.signal('SIGINT');
    await waitFor(() => asked.includes('/api/session/end'));
    await sleep(1_000);
    expect(call.isRunning()).toBe(true);
    const pressedAt = performance.now();
    call.signal('SIGINT');
    expect(await call.exited).toMatchObject({ code: 130 });
    expect(performance.now() - pressedAt).toBeLessThan(1_000);
  });
});

describe('completion', () => {
  test('offers commands, and the sessions, profiles and hosts that are there', async () => {
    const id = await startReady(stack, { userId: 'hal' });
    const offered = async (...words: string[]) =>
      (await operator.ok('complete', '--', ...words)).stdout.split('\n').map((line) => line.split('\t')[0]);
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
    const scripts = await Promise.all(
      ['bash', 'zsh', 'fish'].map((shell) => operator.ok('completion', shell)),
    );
    for (const { stdout } of scripts) expect(stdout).toContain('greenroom complete --');
    expect(await away).toMatchObject({ code: 0, stderr: '' });
  });

  test('is taken by a real bash, which asks and offers the answer', async () => {
    const { stdout: script } = await operator.ok('completion', 'bash');
    // Of the package bash-completion, which need not be here; and the command, which need not be in PATH.
    const around = `
      _get_comp_words_by_ref() { cur=dra; prev=greenroom; words=(greenroom dra); cword=1; }
      compopt() { :; }
      greenroom() { "${process.execPath}" "${CLI}" "$@"; }
    `;
    const ask = '__greenroom_complete; complete -p greenroom; printf "%s\\n" "${COMPREPLY[@]}"';
    const bash = await startProcess({
      command: 'bash',
      args: ['-euc', `${around}\n${script}\n${ask}`],
      env: operatorOf(stack),
    });
    expect(await bash.exited).toMatchObject({ code: 0 });
    expect(bash.output().trim().split('\n')).toEqual(['complete -F __greenroom_complete greenroom', 'drain']);
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

  test('notices that the clocks differ, by the Date of the answers, and that the api is of another version', async () => {
    const altered = await startAlteredApi(stack, {
      headers: { date: new Date(Date.now() + 90_000).toUTCString() },
      fields: { version: '0.0.1' },
    });
    const { code, bad, fixes } = await badOf({ API_URL: altered.url }).finally(altered.stop);
    expect({ code, bad }).toEqual({ code: 1, bad: ['versions.api warning', 'clock.api failure'] });
    expect(fixes).toEqual([expect.stringContaining('upgrade'), expect.stringContaining('set-ntp')]);
  });

  test('names the speech tools that are missing: a failure only where the reference agent runs', async () => {
    const onPath = await makeTempDir('path');
    try {
      await writeFile(path.join(onPath.path, 'apt-get'), '', { mode: 0o755 });
      const [reference, other] = await Promise.all([
        badOf({ PATH: onPath.path, AGENT_COMMAND: '' }),
        badOf({ PATH: onPath.path }),
      ]);
      expect(reference).toMatchObject({
        code: 1,
        bad: ['audio.speech failure', 'audio.recognition failure'],
      });
      expect(other).toMatchObject({ code: 0, bad: ['audio.speech warning'] });
      const install = 'sudo apt-get install -y flite espeak-ng pocketsphinx pocketsphinx-en-us';
      expect([...reference.fixes, ...other.fixes]).toEqual([install, install, install]);
    } finally {
      await onPath.remove();
    }
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

test('call says that its room could not be joined, by its exit code too, and ends the session', async () => {
  expect(await unjoined).toMatchObject({ code: 4, stderr: expect.stringContaining('could not be joined') });
  const { body } = await stack.request('GET', '/api/sessions?history=1');
  const ofNora = body.sessions.find(({ userName }: { userName: string | null }) => userName === 'Nora');
  expect(ofNora).toMatchObject({ endReason: 'caller_ended' });
});

test('Ctrl-C ends a call that is still being joined, in order, also where npm hands it on once more', async () => {
  const call = await operator.stay(['call', '--name', 'Otto', '--say', 'hi'], { API_URL: misled.url });
  await call.waitForLine(/^start answered /, 20_000);
  const pressedAt = performance.now();
  while (performance.now() - pressedAt < 50) call.signal('SIGINT');
  expect(await call.exited).toMatchObject({ code: 130 });
  expect(call.output()).toMatch(/^call ended: caller_ended after /m);
  expect(call.output()).not.toContain('agent in room');
});
