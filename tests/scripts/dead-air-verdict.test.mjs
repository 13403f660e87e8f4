import { expect, test } from '@jest/globals';
import { judge } from '../../scripts/lib/dead-air/judge.mjs';
import { Line } from '../../scripts/lib/dead-air/line.mjs';
import { readOptions } from '../../scripts/lib/dead-air/options.mjs';
import { tableOf } from '../../scripts/lib/dead-air/report.mjs';

const call = (deviations, problems = []) => ({
  caseName: 'silence',
  name: 'Caller 1',
  steps: deviations.map((ms, index) => ({
    name: `step ${index + 1}`,
    expectedAt: 10_000,
    at: ms === undefined ? undefined : 10_000 + ms,
  })),
  problems,
});
const STRICT = { toleranceMs: 300 };

test('what came within its tolerance is well', () => {
  expect(judge([call([0, 300, -300]), call([299])], STRICT)).toEqual([]);
});

test.each([
  ['a step that came too late', call([0, 301]), 'wrong time', 'step 2 came 301 ms too late'],
  ['a step that came too early', call([-301]), 'wrong time', 'step 1 came 301 ms too early'],
  ['a step that never came', call([0, undefined]), 'missing step', 'step 2'],
  ['a call that took another course', call([0], ['said too much']), 'wrong course', 'said too much'],
])('%s fails the verdict', (_, played, rule, text) => {
  expect(judge([call([0]), played], STRICT)).toEqual([{ rule, name: 'Caller 1', caseName: 'silence', text }]);
});

test('the table shows the worst either way, the median, and what is missing', () => {
  const table = tableOf([call([5]), call([-40]), call([7]), call([undefined])]);
  expect(table[1].split(/ {2,}/)).toEqual(['step 1', '4', '1', '-40', '+7', '+5']);
});

/** A line to a call to which these commands have come. */
function lineWith(commands) {
  const line = new Line({}, 'Caller 1');
  const done = commands.map(([action, payload]) => ({ action, at: Date.now(), body: { payload } }));
  line.call = {
    commands: (action) => done.filter((it) => action === undefined || it.action === action),
    waitForCommand: async (action, nth) => line.call.commands(action)[nth - 1],
    hangup: () => undefined,
  };
  return line;
}

test.each([
  ['what it wants and nothing else', [['answer'], ['speak', 'Hello?'], ['hangup']], []],
  [
    'words of another call',
    [['speak', 'Hello, Bob?'], ['hangup']],
    ['said and done: speak "Hello, Bob?", hangup'],
  ],
  ['a question too many', [['speak', 'Hello?'], ['hangup'], ['speak', 'Hello?']], ['said and done']],
])('a call that gets %s', async (_, commands, problems) => {
  const line = lineWith(commands);
  line.hasSpoken = async () => Date.now();
  await line.isAsked('question', Date.now(), 'Hello?');
  await line.isHungUp('hang-up', Date.now());
  await line.finish();
  expect(line.problems).toEqual(problems.map((text) => expect.stringContaining(text)));
});

test('nobody may be asked while left alone', async () => {
  const line = lineWith([]);
  const alone = line.isLeftAlone('asked while talking', Date.now() + 50);
  line.call.commands = () => [{ action: 'speak', body: { payload: 'Hello?' } }];
  await alone;
  expect(line.problems).toEqual(['asked while talking: speak "Hello?"']);
});

test('options', () => {
  expect(readOptions([])).toMatchObject({
    apis: [1, 2, 4, 8],
    calls: 200,
    calm: true,
    kills: true,
    short: false,
  });
  expect(readOptions(['--apis', '4', '--short', '--no-kills'])).toMatchObject({
    apis: [4],
    short: true,
    kills: false,
  });
  expect(readOptions(['--kills'])).toMatchObject({ calm: false, kills: true });
  expect(readOptions(['--apis', '0'])).toMatchObject({ mistake: expect.stringContaining('--apis') });
});
