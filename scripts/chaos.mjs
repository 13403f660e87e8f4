// npm run chaos: random starts and ends while spawners and apis are killed, told to leave, frozen and cut off; then a verdict.
import './lib/check-node.mjs';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startDeployment } from './lib/chaos/deployment.mjs';
import { readChaosOptions } from './lib/chaos/options.mjs';
import { randomOf } from './lib/chaos/random.mjs';
import { report } from './lib/chaos/report.mjs';
import { runChaos } from './lib/chaos/run.mjs';

const args = process.argv.slice(2);
const options = readChaosOptions(args);

if (options.help ?? options.mistake) {
  console.log(options.help ?? options.mistake);
  process.exitCode = options.help ? 0 : 2;
} else {
  process.exitCode = (await main(options)) ? 0 : 1;
}

/** @returns whether the verdict is good */
async function main({ seed, spawners, apis, ...rest }) {
  const startedAt = performance.now();
  const say = (text) =>
    console.log(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${text}`);
  const random = randomOf(seed);
  say(`seed ${seed}: ${spawners} spawners, ${apis} apis, ${rest.pairs} pairs, ${rest.seconds} s of faults`);
  const deployment = await startDeployment({ spawners, apis, random, say });
  try {
    const result = await runChaos(deployment, { ...rest, random, say });
    console.log(report(result, { seed, args: repeat(seed) }));
    if (rest.logs) keepLogs(rest.logs, deployment, result);
    return result.violations.length === 0;
  } finally {
    await deployment.stop();
  }
}

function repeat(seed) {
  return args.includes('--seed') ? args.join(' ') : ['--seed', seed, ...args].join(' ');
}

function keepLogs(folder, { instances }, { trace }) {
  mkdirSync(folder, { recursive: true });
  for (const instance of instances) writeFileSync(join(folder, `${instance.name}.log`), instance.output());
  writeFileSync(join(folder, 'trace.jsonl'), trace.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
}
