import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import {
  clearDrafts,
  deleteLaunchRecord,
  type LaunchRecord,
  listLaunchRecords,
  readLaunchRecord,
  writeLaunchRecord,
} from './launch-record.js';

let stateDir: string;
beforeEach(async () => {
  stateDir = await mkdtemp(path.join(os.tmpdir(), 'greenroom-records-'));
});
afterEach(() => rm(stateDir, { recursive: true, force: true }));

const record: LaunchRecord = {
  schema: 1,
  sessionId: 'session_abcdefghijklmnopqrstuvwx',
  generation: 2,
  launchId: 'launch-1',
  hostId: 'host-a',
  profile: 'default',
  identity: {
    pid: 4242,
    pgid: 4242,
    startTime: '90085',
    bootId: 'b',
    pidNamespace: '4026531836',
    launchId: 'launch-1',
  },
  roomName: 'room',
  roomSid: 'RM_x',
  logFile: '/logs/a.log',
  eventsFile: '/logs/a.events',
  deadlineAt: 1_800_000_000_000,
  startedAt: 1_790_000_000_000,
  phase: 'recorded',
  logOffset: 12,
  remembered: [{ pid: 4243, startTime: '90090' }],
};

const fileOf = (id: string) => path.join(stateDir, 'launches', `${id}.json`);

test('a record comes back as it was written, and a later one replaces it', async () => {
  await writeLaunchRecord(stateDir, record);
  expect(await readLaunchRecord(stateDir, record.sessionId)).toEqual(record);
  await writeLaunchRecord(stateDir, { ...record, phase: 'committed' });
  expect((await listLaunchRecords(stateDir)).records).toEqual([{ ...record, phase: 'committed' }]);
  expect(await readdir(path.join(stateDir, 'launches'))).toEqual([`${record.sessionId}.json`]);
  expect((await stat(fileOf(record.sessionId))).mode & 0o777).toBe(0o600);
});

test('deleting is final, and deleting nothing succeeds', async () => {
  await writeLaunchRecord(stateDir, record);
  await deleteLaunchRecord(stateDir, record.sessionId);
  await deleteLaunchRecord(stateDir, record.sessionId);
  expect(await readLaunchRecord(stateDir, record.sessionId)).toBeUndefined();
  expect(await listLaunchRecords(stateDir)).toEqual({ records: [], unreadable: [] });
});

test('what a killed spawner was writing goes, and the record stays as it was', async () => {
  await writeLaunchRecord(stateDir, record);
  const folder = path.join(stateDir, 'launches');
  await writeFile(path.join(folder, `${record.sessionId}.json.0123456789ab.tmp`), '{"schema":');
  await clearDrafts(stateDir);
  expect(await readdir(folder)).toEqual([`${record.sessionId}.json`]);
  expect((await listLaunchRecords(stateDir)).records).toEqual([record]);
  await expect(clearDrafts(path.join(stateDir, 'missing'))).resolves.toBeUndefined();
});

test('a host without records has none', async () => {
  expect(await listLaunchRecords(path.join(stateDir, 'missing'))).toEqual({ records: [], unreadable: [] });
});

test('a field from a newer version is no problem', async () => {
  await writeLaunchRecord(stateDir, { ...record, mood: 'new' } as LaunchRecord);
  expect(await readLaunchRecord(stateDir, record.sessionId)).toEqual(record);
});

test.each([
  ['corrupt', ''],
  ['corrupt', '{"schema":1'],
  ['corrupt', 'null'],
  ['corrupt', '[]'],
  ['corrupt', JSON.stringify({ ...record, identity: { ...record.identity, pid: '4242' } })],
  ['corrupt', JSON.stringify({ ...record, identity: { ...record.identity, pgid: 0 } })],
  ['corrupt', JSON.stringify({ ...record, identity: { ...record.identity, pid: 1 } })],
  ['corrupt', JSON.stringify({ ...record, sessionId: '../../etc/passwd' })],
  ['corrupt', JSON.stringify({ ...record, phase: 'maybe' })],
  ['corrupt', JSON.stringify({ ...record, remembered: [{ pid: 0, startTime: '1' }] })],
  ['unsupported', JSON.stringify({ ...record, schema: 2 })],
  ['unsupported', '{}'],
])('one that is %s is reported beside the rest: %s', async (problem, text) => {
  await writeLaunchRecord(stateDir, record);
  const bad = 'session_zzzzzzzzzzzzzzzzzzzzzzzz';
  await writeFile(fileOf(bad), text);
  const list = await listLaunchRecords(stateDir);
  expect(list.records).toEqual([record]);
  expect(list.unreadable).toMatchObject([{ file: fileOf(bad), problem }]);
});

test('what cannot be read at all is reported too', async () => {
  await mkdir(fileOf(record.sessionId), { recursive: true });
  expect((await listLaunchRecords(stateDir)).unreadable).toHaveLength(1);
  expect(await readLaunchRecord(stateDir, record.sessionId)).toMatchObject({ problem: 'corrupt' });
});

test('a failed write leaves the former record and no rubbish', async () => {
  await mkdir(path.join(fileOf(record.sessionId), 'in-the-way'), { recursive: true });
  await expect(writeLaunchRecord(stateDir, record)).rejects.toThrow();
  expect(await readdir(path.join(stateDir, 'launches'))).toEqual([`${record.sessionId}.json`]);
});

test.each(['../x', 'session_a/b', '', 'session_short'])(
  'an id that is no file name is refused: %j',
  async (sessionId) => {
    await expect(writeLaunchRecord(stateDir, { ...record, sessionId })).rejects.toThrow('not a session id');
    await expect(deleteLaunchRecord(stateDir, sessionId)).rejects.toThrow('not a session id');
  },
);
