import { setTimeout as sleep } from 'node:timers/promises';
import { Callers, planCallers } from './callers.mjs';
import { LIMITS } from './deployment.mjs';
import { planFaults, strike } from './faults.mjs';
import { judge, judgeState } from './judge.mjs';
import { look, readTrace } from './look.mjs';

/** Between the two looks that a violation of the state has to be seen in. */
const SECOND_LOOK_MS = 3_000;
const READY_MS = 60_000;

/** Callers and faults, each by its plan; then quiet, and a look. @returns what a verdict is made of */
export async function runChaos(deployment, { pairs, seconds, settleSeconds, random, say }) {
  const callers = new Callers(deployment);
  const startedAt = performance.now();
  const visits = planCallers(pairs, seconds, random).map(async (plan, number) => {
    await sleep(plan.at * 1000);
    await callers.call(number, plan, random.fork(`caller ${number}`));
  });
  const faults = await Promise.all(
    deployment.instances.map((it) => {
      const draws = random.fork(`requests for ${it.name}`);
      const ask = (method, path) => callers.insist(method, path, draws);
      return strike(it, planFaults(it, seconds, random), { startedAt, say, ask });
    }),
  );
  callers.close();
  // One that was killed is healed when it is up again.
  await Promise.all(deployment.instances.map((it) => it.untilReady(READY_MS)));
  say(`the last fault is healed; the verdict is ${settleSeconds} s away`);
  await sleep(settleSeconds * 1000);
  const { facts, violations } = await lookTwice(deployment);
  const isOver = await Promise.race([Promise.allSettled(visits).then(() => true), sleep(30_000, false)]);
  const trace = await readTrace(deployment.redis);
  const seen = { facts, callers: callers.log, pairs, trace, faults: faults.flat(), limits: LIMITS };
  const others = judge({ ...seen, facts: await look(deployment) }).filter(isNotOfState);
  if (!isOver) others.push({ rule: 'caller waits for ever', text: waiting(callers.log) });
  return { ...seen, violations: [...violations, ...others] };
}

const OF_STATE = new Set(judgeStateRules());

function judgeStateRules() {
  return [
    'agent without a session',
    'session without an agent',
    'room without a session',
    'session without a room',
    'count differs',
  ];
}

/** The trace's counts are a matter of one moment; those of the state were seen twice. */
function isNotOfState({ rule, text }) {
  return !OF_STATE.has(rule) || / by the set, /.test(text);
}

async function lookTwice(deployment) {
  const first = judgeState(await look(deployment));
  await sleep(first.length > 0 ? SECOND_LOOK_MS : 0);
  const facts = await look(deployment);
  const known = new Set(first.map(keyOf));
  return { facts, violations: judgeState(facts).filter((it) => known.has(keyOf(it))) };
}

const keyOf = ({ rule, id, text }) => `${rule} ${id ?? text}`;

function waiting(log) {
  return log
    .filter(({ outcome }) => outcome === 'starting')
    .map(({ number, id }) => `caller ${number} (${id})`)
    .join(', ');
}
