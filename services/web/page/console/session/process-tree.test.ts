import { expect, test } from '@jest/globals';
import { treeOf } from './process-tree.js';

test('children stand below their parents, and who has lost its parent at the top', () => {
  const process = (pid: number, ppid: number) => ({ pid, ppid, pgid: 10, cmd: `p${pid}` });
  const tree = treeOf([process(12, 11), process(10, 1), process(11, 10), process(30, 29), process(13, 10)]);
  expect(tree.map(({ pid, depth }) => [pid, depth])).toEqual([
    [10, 0],
    [11, 1],
    [12, 2],
    [13, 1],
    [30, 0],
  ]);
});
