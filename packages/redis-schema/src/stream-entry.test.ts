import { expect, test } from '@jest/globals';
import { isEarlierEntry, parseEntry, timeOfEntry } from './stream-entry.js';

test.each([
  ['1-0', '2-0', true],
  ['9-0', '10-0', true],
  ['5-9', '5-10', true],
  ['5-1', '5-1', false],
  ['10-0', '9-5', false],
])('%s stands before %s: %s', (id, other, isEarlier) => {
  expect(isEarlierEntry(id, other)).toBe(isEarlier);
});

test('an entry tells when it was written', () => {
  expect(timeOfEntry('1763795621184-3')).toBe(1763795621184);
});

test('an agent’s event is told from a step of the same name', () => {
  const ready = { id: '1-0', type: 'ready', status: 'starting' };
  expect(parseEntry({ ...ready, source: 'agent' }).isAgents).toBe(true);
  expect(parseEntry(ready).isAgents).toBe(false);
});

test('in entries of the version before this one too, which name neither', () => {
  const isAgents = (type: string, data: object) =>
    parseEntry({ id: '1-0', type, data: JSON.stringify(data) }).isAgents;
  expect(isAgents('ready', {})).toBe(true);
  expect(isAgents('ready', { startupMs: 1 })).toBe(false);
  expect(isAgents('error', { message: 'x' })).toBe(true);
  expect(isAgents('error', { error: 'x' })).toBe(false);
  expect(isAgents('agent_speaking', { active: true })).toBe(true);
  expect(isAgents('restarting', { cause: 'x' })).toBe(false);
});

test('data that is no object is none', () => {
  for (const data of ['', '[1]', 'null', '"x"', '{']) {
    expect(parseEntry({ id: '1-0', type: 'x', data }).data).toEqual({});
  }
});
