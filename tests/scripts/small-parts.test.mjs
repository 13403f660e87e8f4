import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { answerInsteadOfStarting, readOptions } from '../../scripts/lib/options.mjs';
import { ensureDevSecrets } from '../../scripts/lib/dev-secrets.mjs';
import { parseEnv } from '../../scripts/lib/env-file.mjs';
import { ROOT } from '../../scripts/lib/paths.mjs';
import { checkPlatform } from '../../scripts/lib/platform.mjs';
import { freePortFrom, isTcpPortFree, ownerOfPort } from '../../scripts/lib/ports.mjs';
import { readSettings } from '../../scripts/lib/settings.mjs';
import { checkServicePorts } from '../../scripts/lib/stack/check-ports.mjs';
import { troubleOf } from '../../scripts/lib/stack/log-watch.mjs';
import { runsReferenceAgent } from '../../scripts/lib/reference-agent.mjs';
import { livingRecord, writeRecord } from '../../scripts/lib/stack/records.mjs';
import { startTimeOf } from '../../scripts/lib/proc.mjs';
import { installCommand } from '../../scripts/lib/system/package-manager.mjs';
import { countLine, countResults } from '../../scripts/lib/testing/counts.mjs';
import { ALONE, IN_PAIRS } from '../../scripts/lib/testing/jest.mjs';

let folder;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'greenroom-scripts-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('settings', () => {
  test('.env has comments, quotes and export', () => {
    const text = [
      '# a comment',
      'PORT=8090 # why',
      'export A="x # y" # z',
      "B='it is'",
      'EMPTY=',
      'URL=redis://h/1#2',
      'not a line',
    ].join('\n');
    expect(parseEnv(text)).toEqual({ PORT: '8090', A: 'x # y', B: 'it is', EMPTY: '', URL: 'redis://h/1#2' });
  });

  test('the environment wins over .env, and an empty value counts as not given', () => {
    const file = join(folder, '.env');
    writeFileSync(file, 'PORT=1\nSPAWNER_PORT=2\nREDIS_URL=redis://x\n');
    const settings = readSettings({ PORT: '3', REDIS_URL: '', STATE_DIR: '/var/lib/g' }, file);
    expect(settings).toEqual({ PORT: '3', SPAWNER_PORT: '2', STATE_DIR: '/var/lib/g' });
  });
});

describe('whether the reference agent runs, and wants speech programs', () => {
  test.each([
    ['without settings', {}, undefined, true],
    ['with a command', { AGENT_COMMAND: 'python bot.py' }, undefined, false],
    ['profiles of which one is it', {}, 'profiles:\n  a:\n    agent: reference # ours\n', true],
    ['in JSON', {}, '{"profiles": {"a": {"agent":"reference"}}}', true],
    ['profiles of other agents', {}, 'profiles:\n  a:\n    command: bot # agent: reference\n', false],
  ])('%s', (_case, settings, profiles, runs) => {
    const file = join(folder, 'profiles.yaml');
    if (profiles !== undefined) writeFileSync(file, profiles);
    expect(runsReferenceAgent({ ...settings, ...(profiles && { PROFILES_FILE: file }) })).toBe(runs);
  });

  test('a file that is not there is the spawner’s to report', () => {
    expect(runsReferenceAgent({ PROFILES_FILE: join(folder, 'missing.yaml') })).toBe(false);
  });
});

describe('dev secrets', () => {
  test('are made once, for their owner only, and kept', () => {
    const file = join(folder, 'dev-secrets.env');
    const first = ensureDevSecrets(file);
    expect(Object.keys(first)).toEqual(['LIVEKIT_API_KEY', 'LIVEKIT_API_SECRET', 'ADMIN_TOKEN']);
    expect(first.LIVEKIT_API_SECRET.length).toBeGreaterThanOrEqual(32);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(ensureDevSecrets(file)).toEqual(first);
  });

  test('what a person wrote there stays', () => {
    const file = join(folder, 'dev-secrets.env');
    writeFileSync(file, 'ADMIN_TOKEN=mine\nOTHER=x\n', { mode: 0o644 });
    expect(ensureDevSecrets(file).ADMIN_TOKEN).toBe('mine');
    expect(readFileSync(file, 'utf8')).toContain('OTHER=x');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});

describe('ports', () => {
  test('one in use is named with its owner and what to do', async () => {
    const server = createServer();
    const port = await freePortFrom(23_000);
    await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
    try {
      expect(await isTcpPortFree(port)).toBe(false);
      expect(ownerOfPort(port)).toMatchObject({ pid: process.pid });
      expect(await freePortFrom(port)).toBeGreaterThan(port);
      await expect(checkServicePorts({ PORT: String(port) })).rejects.toMatchObject({
        message: expect.stringContaining(`Port ${port} is in use by pid ${process.pid}`),
        next: expect.stringContaining(`PORT=${port + 10} npm start`),
      });
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
    expect(ownerOfPort(port)).toBeUndefined();
  });
});

describe('records', () => {
  test('of a living process are found; a pid that is somebody else by now is not', () => {
    writeRecord({ name: 'api', pid: process.pid, startTime: startTimeOf(process.pid) }, folder);
    expect(livingRecord('api', folder)).toMatchObject({ pid: process.pid });
    writeRecord({ name: 'api', pid: process.pid, startTime: 1 }, folder);
    expect(livingRecord('api', folder)).toBeUndefined();
    expect(livingRecord('never', folder)).toBeUndefined();
  });
});

test('other systems are told so and offered a container', () => {
  expect(() => checkPlatform('darwin')).toThrow(
    expect.objectContaining({
      message: expect.stringMatching(/macOS/),
      next: expect.stringMatching(/docker run/),
    }),
  );
  expect(() => checkPlatform('linux')).not.toThrow();
});

test('the command to type is one line, with sudo only for those who need it', () => {
  const apt = { program: 'apt-get', asRoot: true, refresh: ['update'], install: ['install', '-y'] };
  expect(installCommand(apt, ['flite'], { isRoot: false })).toBe(
    'sudo apt-get update && sudo apt-get install -y flite',
  );
  expect(installCommand(apt, ['flite'], { isRoot: true })).toBe('apt-get update && apt-get install -y flite');
  const brew = { program: 'brew', asRoot: false, install: ['install'] };
  expect(installCommand(brew, ['flite'], { isRoot: false })).toBe('brew install flite');
});

test('only warnings, errors and crashes of a service reach the terminal', () => {
  expect(troubleOf('{"level":"info","message":"fine"}')).toBeUndefined();
  expect(troubleOf('{"level":"error","message":"bad","sessionId":"s"}')).toBe('error: bad (s)');
  expect(troubleOf('TypeError: x is not a function')).toMatch(/^TypeError/);
  expect(troubleOf('    at main (file.js:1:1)')).toBeUndefined();
});

describe('the closing line', () => {
  const results = {
    numPassedTests: 5,
    numFailedTests: 0,
    numRuntimeErrorTestSuites: 0,
    numPendingTests: 0,
    numTodoTests: 0,
  };

  test('counts tests', () => {
    expect(countLine(countResults(results, 0))).toBe('5 passed, 0 failed');
  });

  test.each([
    ['a suite that did not run', { ...results, numRuntimeErrorTestSuites: 2 }, 1, '5 passed, 2 failed'],
    ['a bad end without a failed test', results, 1, '5 passed, 1 failed'],
    ['no results at all', undefined, 0, '0 passed, 1 failed'],
  ])('%s counts as failed', (_what, given, exitCode, line) => {
    expect(countLine(countResults(given, exitCode))).toBe(line);
  });

  test('names skipped ones', () => {
    expect(countLine(countResults({ ...results, numPendingTests: 1 }, 0))).toBe(
      '5 passed, 0 failed, 1 skipped',
    );
  });
});

test('CI runs what a person runs', () => {
  expect(readFileSync(join(ROOT, '.ci/run'), 'utf8')).toMatch(/^exec npm --silent test$/m);
  expect(statSync(join(ROOT, '.ci/run')).mode & 0o111).not.toBe(0);
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect(scripts).toMatchObject({
    start: 'node scripts/start.mjs',
    test: 'node scripts/test.mjs',
    'test:faults': 'node scripts/test-faults.mjs',
    'test:versions': 'node scripts/test-versions.mjs',
    greenroom: 'node scripts/greenroom.mjs',
    call: 'node scripts/greenroom.mjs call',
  });
});

test('npm start explains itself when asked, and refuses what it does not know', () => {
  expect(answerInsteadOfStarting(readOptions([]))).toBeUndefined();
  expect(answerInsteadOfStarting(readOptions(['--no-install']))).toBeUndefined();
  expect(answerInsteadOfStarting(readOptions(['--help']))).toMatchObject({ exitCode: 0 });
  const refused = answerInsteadOfStarting(readOptions(['--no-instal']));
  expect(refused.exitCode).toBe(2);
  expect(refused.text).toContain('does not know --no-instal');
});

test('nothing heavy runs beside what speaks and listens in real time', () => {
  const source = join(ROOT, 'services/agent/src');
  const spoken = readdirSync(source, { recursive: true })
    .filter((file) => file.endsWith('.test.ts'))
    .filter((file) => readFileSync(join(source, file), 'utf8').includes('startCaller('))
    .map((file) => join(source, file));
  expect(spoken).toHaveLength(2);
  expect(spoken.filter((file) => ![...ALONE, ...IN_PAIRS].some((path) => file.includes(path)))).toEqual([]);
});
