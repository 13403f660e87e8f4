// Is a pool that sizes itself worth it? Plays the recorded arrivals of arrivals.json against the real services, under a rate
// policy and with pools of a fixed size, and finds the smallest fixed one that does as well. Needs `npm run build`.
//   npm run bench:pool [-- --compress 15]
// Time is compressed: arrivals, calls, the time that an agent loads, and the window of the policy, all by the same factor.
// Exit code 1 when the rate policy misses its promise: more than 95 % of the callers find a warm agent, with less than half
// the idle agent-minutes of the fixed pool.
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { startLiveKit } from '../../../packages/test-kit/dist/index.js';
import { smallestFixed } from './model.mjs';
import { play, WARM_LAUNCHES } from './play.mjs';

const { values } = parseArgs({ options: { compress: { type: 'string', default: '15' } } });
const FACTOR = Number(values.compress);
/** Of real time. */
const LOAD_SECONDS = 30;
const CALL_SECONDS = 180;
const POLICY = { kind: 'rate', safety: 3, min: 2, max: 30, windowSeconds: 600 };
const WANTED_HIT_RATE = 0.95;
const MOST_IDLE_SHARE = 0.5;
const MOST_FIXED_RUNS = 5;
const MOST_LATE_MS = 300;

const recorded = JSON.parse(readFileSync(new URL('arrivals.json', import.meta.url), 'utf8'));
const curve = {
  arrivalsMs: recorded.arrivalSeconds.map(compressed),
  lengthMs: compressed(recorded.lengthSeconds),
  loadMs: compressed(LOAD_SECONDS),
  callMs: compressed(CALL_SECONDS),
};

const livekit = await startLiveKit();
try {
  process.exitCode = (await compare()) ? 0 : 1;
} finally {
  await livekit.stop();
}

async function compare() {
  console.log(
    `${curve.arrivalsMs.length} callers in ${minutes(curve.lengthMs)} minutes, played in ${(curve.lengthMs / 1000).toFixed(0)} s; ` +
      `an agent loads for ${LOAD_SECONDS} s.`,
  );
  const rate = await play({ ...POLICY, windowSeconds: POLICY.windowSeconds / FACTOR }, curve, livekit);
  report(`rate, safety ${POLICY.safety}`, rate);
  const { size, run: fixed } = await findFixed(rate);
  const share = rate.idleMs / fixed.idleMs;
  console.log(`\nThe smallest fixed pool that does as well has ${size} agents.`);
  console.log(
    `The rate policy has ${percent(share)} of its idle agent-minutes, and ${percent(rate.hitRate)} hits.`,
  );
  const isKept = rate.hitRate > WANTED_HIT_RATE && share < MOST_IDLE_SHARE;
  console.log(`${isKept ? 'PASS' : 'FAIL'}: more than 95 % hits with less than half the idle agent-minutes`);
  return isKept;
}

/** Begins where the model says, and measures downwards or upwards from there: only what was measured counts. */
async function findFixed(rate) {
  const onPaper = { replaceMs: rate.replaceMs, launches: WARM_LAUNCHES };
  let size = smallestFixed(curve.arrivalsMs, rate.hitRate, onPaper);
  const measured = new Map();
  let best;
  while (measured.size < MOST_FIXED_RUNS && size > 0 && !measured.has(size)) {
    const run = await play({ kind: 'fixed', size }, curve, livekit);
    report(`fixed at ${size}`, run);
    measured.set(size, run);
    const isEnough = run.hitRate >= rate.hitRate;
    if (isEnough) best = { size, run };
    size += isEnough ? -1 : 1;
  }
  if (best === undefined) throw new Error('no fixed pool did as well');
  return best;
}

function report(name, { hitRate, refused, lateMs, idleMs, loadingMs, largest, replaceMs }) {
  const cells = [
    `${percent(hitRate)} hits`,
    `${minutes(idleMs)} idle agent-minutes`,
    `${minutes(loadingMs)} loading`,
    `at most ${largest} warm`,
    ...(refused > 0 ? [`${refused} refused`] : []),
    ...(replaceMs === undefined ? [] : [`${seconds(replaceMs)} s to replace one`]),
  ];
  console.log(`${name.padEnd(20)}${cells.join(', ')}`);
  // A machine that stalls lets callers come in clumps that nobody has recorded.
  if (lateMs > MOST_LATE_MS)
    console.log(`  the machine was busy: a caller came ${Math.round(lateMs)} ms late`);
}

function compressed(secondsOfTheCurve) {
  return (secondsOfTheCurve * 1000) / FACTOR;
}

/** Of the curve. */
function minutes(ms) {
  return ((ms * FACTOR) / 60_000).toFixed(1);
}

function seconds(ms) {
  return ((ms * FACTOR) / 1000).toFixed(0);
}

function percent(share) {
  return `${(share * 100).toFixed(1)} %`;
}
