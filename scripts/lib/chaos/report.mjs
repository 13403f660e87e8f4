import { isPair } from './callers.mjs';
import { storyOf } from './replay.mjs';

const STORIES = 5;

/** The verdict as text: what was done, how the callers fared, and each violation with the story of its session. */
export function report({ facts, callers, pairs, trace, faults, violations }, { seed, args }) {
  const lines = [
    '',
    `seed ${seed}; to repeat it: npm run chaos -- ${args}`,
    `faults: ${countBy(faults, ({ target, kind }) => `${target.replace(/-\d+$/, '')} ${kind}`)}`,
    `callers: ${callers.length}, accepted ${callers.filter(({ ids }) => ids.size > 0).length}, ` +
      `ready ${callers.filter(({ wasReady }) => wasReady).length}`,
    `start/end pairs: ${callers.filter(isPair).length} of ${pairs}`,
    `outcomes: ${countBy(callers, ({ outcome }) => outcome)}`,
    `steps of state: ${trace.length}; sessions seen: ${new Set(trace.map(({ id }) => id)).size}; ` +
      `most callers at once: ${Math.max(0, ...trace.map((it) => it.callers))}`,
    `at the verdict: ${Object.keys(facts.sessions).length} sessions, ${facts.agents.length} agent processes, ${facts.rooms.length} rooms`,
    ...summarize(violations),
  ];
  for (const id of [...new Set(violations.map((it) => it.id))].filter(Boolean).slice(0, STORIES)) {
    lines.push('', `story of ${id}:`, ...storyOf(id, trace).map((line) => `  ${line}`));
  }
  lines.push(
    '',
    violations.length === 0 ? 'VERDICT: passed' : `VERDICT: failed, ${violations.length} violations`,
  );
  return lines.join('\n');
}

/** What the run promises, each with its number. */
const PROMISES = [
  'lost session',
  'doubled session',
  'agent without a session',
  'session without an agent',
  'room without a session',
  'session without a room',
  'count differs',
  'capacity exceeded',
  'agent given twice',
  'illegal transition',
  'too few pairs',
];

function summarize(violations) {
  const rules = [...new Set([...PROMISES, ...violations.map(({ rule }) => rule)])];
  const numbers = rules.map((rule) => `${rule} ${violations.filter((it) => it.rule === rule).length}`);
  return [
    `verdict: ${numbers.join(', ')}`,
    ...violations.slice(0, 40).map(({ rule, id, text }) => `  ✗ ${rule}${id ? ` ${id}` : ''}: ${text}`),
  ];
}

function countBy(list, name) {
  const counts = new Map();
  for (const it of list) counts.set(name(it), (counts.get(name(it)) ?? 0) + 1);
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, count]) => `${key} ${count}`)
    .join(', ');
}
