// npm run test:dead-air: phone calls fall silent, and every step that follows must come at its time, whichever api hears of what.
import './lib/check-node.mjs';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { CASES } from './lib/dead-air/cases.mjs';
import { beginKills } from './lib/dead-air/faults.mjs';
import { judge } from './lib/dead-air/judge.mjs';
import { readOptions } from './lib/dead-air/options.mjs';
import { playCalls, playLoneCall } from './lib/dead-air/play.mjs';
import { listViolations, tableOf } from './lib/dead-air/report.mjs';
import { openStage } from './lib/dead-air/stage.mjs';
import { storyOf } from './lib/dead-air/story.mjs';

/** How far from its time a step may be, and while instances are being killed. */
const TOLERANCE_MS = 300;
const TOLERANCE_WITH_KILLS_MS = 1_000;
const KILLS = {
  apis: 4,
  calls: 40,
  // The last of them takes a minute: a busy machine, too, has the time to kill everybody.
  names: ['silence, defaults', 'silence, own words', 'a caller who keeps talking', 'hold on'],
};
/** Of calls that went wrong; those of all are kept with the logs. */
const STORIES = 3;

const options = readOptions(process.argv.slice(2));
if (options.help ?? options.mistake) {
  console.log(options.help ?? options.mistake);
  process.exitCode = options.help ? 0 : 2;
} else {
  const verdicts = [];
  for (const run of planRuns(options)) verdicts.push(await perform(run));
  const isGood = verdicts.every(Boolean);
  console.log(`\nVERDICT: ${isGood ? 'passed' : 'failed'}`);
  process.exitCode = isGood ? 0 : 1;
}

function planRuns({ apis, calls, seed, calm, kills, short, logs }) {
  const names = Object.keys(CASES).filter((name) => isOf(CASES[name], short));
  const steady = { calls, seed, logs, names, withKills: false, toleranceMs: TOLERANCE_MS };
  const runs = calm ? apis.map((count) => ({ ...steady, apis: count })) : [];
  if (kills) {
    runs.push({ ...steady, ...KILLS, withKills: true, toleranceMs: TOLERANCE_WITH_KILLS_MS });
  }
  return runs;
}

function isOf({ short, onlyShort }, wantsShort) {
  return wantsShort ? (short ?? onlyShort) : !onlyShort;
}

/** @returns whether all of it went as it should */
async function perform({ apis, calls: count, seed, logs, names, withKills, toleranceMs }) {
  const title = `${count} calls over ${apis} apis${withKills ? ', all of which are killed in turn, and the spawner' : ''}`;
  const startedAt = performance.now();
  const say = (text) =>
    console.log(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${text}`);
  console.log(`\n${title}`);
  const stage = await openStage({ apis, seed, say });
  try {
    say('the services are ready');
    const heldUp = monitorEventLoopDelay({ resolution: 10 });
    heldUp.enable();
    let kills;
    const connected = () => {
      say('all calls have their agents, and fall silent one after the other');
      if (withKills) kills = beginKills(stage, say);
    };
    const calls = await playCalls(stage, { count, names, connected });
    await kills?.stop();
    if (withKills) calls.push(await playLoneCall(stage));
    await stage.telnyx.settled();
    const heldUpMs = Math.round(heldUp.max / 1e6);
    heldUp.disable();
    const violations = judge(calls, { toleranceMs });
    say(
      `${stage.telnyx.deliveries.length} webhooks, ${countDoubled(stage)} commands came doubled; we were held up for ${heldUpMs} ms at most`,
    );
    console.log([...tableOf(calls), ...listViolations(violations)].join('\n'));
    if (violations.length > 0 && heldUpMs > toleranceMs / 2) {
      console.log(
        `  the machine was too busy for this: the telephone network itself was held up for ${heldUpMs} ms`,
      );
    }
    const stories = tellStories(stage, calls, violations);
    if (logs) keepLogs(join(logs, `${apis}-apis${withKills ? '-kills' : ''}`), stage, stories);
    return violations.length === 0;
  } finally {
    await stage.close();
  }
}

function tellStories({ telnyx }, calls, violations) {
  const names = [...new Set(violations.map((it) => it.name))];
  const stories = names.map((name) => {
    const { callId } = calls.find((it) => it.name === name);
    return [`\nstory of ${name}, ${callId}:`, ...storyOf(telnyx, callId)].join('\n');
  });
  for (const story of stories.slice(0, STORIES)) console.log(story);
  return stories.join('\n');
}

function countDoubled({ telnyx }) {
  return telnyx.calls.flatMap(({ requests }) => requests.filter(({ outcome }) => outcome === 'duplicate'))
    .length;
}

function keepLogs(folder, { deployment }, stories) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'stories.txt'), stories);
  for (const instance of deployment.instances)
    writeFileSync(join(folder, `${instance.name}.log`), instance.output());
}
