import { startStack, type TestStack, waitFor } from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { agent } from '../support/agents.js';
import { greenroomOnTerminal, operatorOf } from '../support/greenroom.js';
import { COLOURS, Operator } from '../support/operator.js';
import { startReady, waitForPool, waitForStatus } from '../support/sessions.js';

let stack: TestStack;
let operator: Operator;
beforeAll(async () => {
  stack = await startStack({
    agentCommand: agent('counts-slowly.sh'),
    env: { POOL_TARGET: '1', HEALTH_CHECK_INTERVAL: '1', DRAIN_TIMEOUT: '60' },
  });
  operator = new Operator(stack);
  await waitForPool(stack, 1);
}, 60_000);
afterEach(() => operator.leave());
afterAll(async () => {
  // Calls that are left would be waited for until DRAIN_TIMEOUT.
  await stack.request('POST', '/api/sessions/end', { all: true });
  await stack.stop();
}, 60_000);

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
      operator.ok('ps'),
      operator.ok('ps', '--user', 'bob'),
      operator.ok('ps', '-s', 'ending'),
      operator.ok('ps', '-q', '-s', 'ready'),
      operator.ok('ps', '--json', '--user', 'ada'),
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
    const [shown, json] = await Promise.all([
      operator.ok('show', ada.slice(0, 14)),
      operator.ok('show', ada, '--json'),
    ]);
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
      operator.ok('hosts'),
      operator.ok('pool'),
      operator.ok('hosts', '--json'),
      operator.run('pool', '-p', 'nobody'),
    ]);
    expect(hosts.stdout).toMatch(/^test-host +up +\d+\/60 /m);
    expect(pool.stdout).toMatch(/^default +\d +\d +1 +\d+% +fixed 1 /m);
    expect(json.json().hosts).toHaveLength(1);
    expect(nobody.code).toBe(6);
  });

  test('logs shows the last lines, and -f goes on until the session is over', async () => {
    const id = await startReady(stack, { userId: 'cleo' });
    const following = await operator.stay(['logs', '-f', '-n', '2', id]);
    await following.waitForLine(/^line \d+$/);
    const seen = Number(/\d+/.exec(following.output())?.[0]);
    await following.waitForLine(new RegExp(`^line ${seen + 4}$`));
    expect((await operator.ok('logs', id, '--tail', '1')).stdout).toMatch(/^line \d+\n$/);
    const timed = await operator.stay(['logs', '-f', '--times', '-n', '1', id]);
    await timed.waitForLine(/^\d{4}-\S+Z line \d+$/);
    await stack.request('POST', '/api/session/end', { sessionId: id });
    expect(await following.exited).toMatchObject({ code: 0 });
    await timed.exited;
    // A session that is over still has its log.
    await waitForStatus(stack, id, 404);
    const [last] = (await operator.ok('logs', '--json', id)).stdout.split('\n');
    expect(JSON.parse(last ?? '')).toEqual({ sessionId: id, line: expect.any(String) });
    const [first] = (await operator.ok('logs', '--json', '--times', id)).stdout.split('\n');
    expect(JSON.parse(first ?? '')).toEqual({
      sessionId: id,
      line: expect.any(String),
      at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  test('ps --watch is told what happens, and leaves on Ctrl-C', async () => {
    const watching = await operator.stay(['ps', '--watch', '--json']);
    await watching.waitForLine(/^\{"event":"snapshot"/);
    const id = await startReady(stack, { userId: 'dora' });
    await watching.waitForLine(new RegExp(`^\\{"event":"session"(?=.*"status":"ready").*"${id}"`));
    watching.signal('SIGINT');
    expect(await watching.exited).toMatchObject({ code: 130 });
  });
});

describe('doing', () => {
  test('pool resize and policy hold at once, and wrong ones are refused', async () => {
    const resized = await operator.ok('pool', 'resize', '2');
    expect(resized.stdout).toBe('The pool of default is to hold 2 from now on (before: 1).\n');
    await waitForPool(stack, 2);
    const policy = await operator.ok(
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
    await operator.ok('pool', 'resize', '1');
    const [noNumber, nobody, wrong] = await Promise.all([
      operator.run('pool', 'resize', 'many'),
      operator.run('pool', 'resize', '3', '--profile', 'nobody'),
      operator.run('pool', 'policy', 'rate', '--min', '5', '--max', '2'),
    ]);
    expect([noNumber.code, nobody.code, wrong.code]).toEqual([2, 6, 2]);
    expect(wrong.stderr).toContain('(invalid_request)');
  });

  test('end ends the sessions named, with the reason in the history; a wrong id among them ends none', async () => {
    const one = await startReady(stack, { userId: 'eve' });
    const two = await startReady(stack, { userId: 'fay' });
    expect((await operator.run('end', one, 'zzzzzzzz')).code).toBe(6);
    expect((await stack.request('GET', `/api/session/${one}`)).body.status).toBe('ready');
    const { stdout } = await operator.ok('end', one, two.slice(0, 16), '--reason', 'asked by phone');
    expect(stdout).toBe(`${one} is ending\n${two} is ending\n`);
    await Promise.all([one, two].map((id) => waitForStatus(stack, id, 404)));
    const [shown, history, again] = await Promise.all([
      operator.ok('show', one),
      operator.ok('ps', '--history', '--user', 'eve'),
      operator.run('end', two, '--json'),
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
      operator.ok('end', '--user', 'kit', '--dry-run'),
      operator.ok('end', '--older-than', '2d'),
      ofLou('n\n'),
    ]);
    expect(counted.stdout).toBe('1 session would be ended.\n');
    expect(none.stdout).toBe('No session like that.\n');
    expect(refused.stdout).toMatch(/End 1 session\? \[y\/N\] [\s\S]*Nothing was ended\./);
    expect(refused.code).toBe(1);
    expect((await stack.request('GET', `/api/session/${ids[1]}`)).body.status).toBe('ready');
    const [agreed, unasked] = await Promise.all([
      ofLou('y\n', '--now'),
      operator.ok('end', '--user', 'kit', '--yes', '--json'),
    ]);
    expect(agreed).toMatchObject({ code: 0, stdout: expect.stringContaining('1 session is ending') });
    expect(unasked.json()).toEqual({ matched: 1, asked: 1, dryRun: false });
    await Promise.all(ids.map((id) => waitForStatus(stack, id, 404)));
  });

  test('drain takes a host out until undrain, and --wait waits for its last call', async () => {
    await operator.ok('end', '--status', 'ready', '--yes');
    const id = await startReady(stack, { userId: 'gil' });
    const draining = await operator.stay(['drain', 'test-host', '--wait']);
    await draining.waitForLine(/^test-host drains: \d calls? left\.$/);
    expect((await operator.ok('hosts')).stdout).toMatch(/^test-host +draining, \d left /m);
    expect(draining.isRunning()).toBe(true);
    await operator.ok('end', id);
    expect(await draining.exited).toMatchObject({ code: 0 });
    expect(draining.output()).toContain('test-host is idle.');
    expect((await operator.ok('undrain', 'test-host', '--json')).json()).toEqual({
      host: 'test-host',
      draining: false,
    });
    await waitForPool(stack, 1);
    const [nowhere, alive] = await Promise.all([
      operator.run('drain', 'nowhere'),
      operator.run('host', 'lost', 'test-host', '--yes'),
    ]);
    expect(nowhere.code).toBe(6);
    expect(alive).toMatchObject({ code: 3, stderr: expect.stringContaining('(host_reachable)') });
  });
});
