import type { AdminSessionView } from '@greenroom/contracts';
import { expect, test } from '@jest/globals';
import { type ListedSession, liveColumns } from './session-columns.js';

const plain = (_style: unknown, text: string): string => text;

function userOf(names: Pick<AdminSessionView, 'userId' | 'userName'>): string | undefined {
  const column = liveColumns(plain as never, (id) => id).find(({ title }) => title === 'USER');
  return column?.value({ sessionId: 's1', status: 'ready', ...names } as ListedSession);
}

test('a caller is listed by id, or by name where no id was given', () => {
  expect(userOf({ userId: 'u1', userName: 'Ada' })).toBe('u1');
  expect(userOf({ userId: null, userName: 'Ada' })).toBe('Ada');
  expect(userOf({ userId: null, userName: null })).toBe('-');
});
