// npm run test:faults: what survives what. The same set-up as npm test; see scripts/lib/faults/options.mjs for what it takes.
import './lib/check-node.mjs';
import { chooseRows, readCatalogue } from './lib/faults/catalogue.mjs';
import { mutateAll } from './lib/faults/mutate.mjs';
import { readFaultOptions } from './lib/faults/options.mjs';
import { addCounts, NOTHING } from './lib/testing/counts.mjs';
import { runFaults } from './lib/testing/jest.mjs';
import { runAsCommand, setUpForTests } from './lib/testing/set-up.mjs';
import { say } from './lib/ui.mjs';

const options = readFaultOptions(process.argv.slice(2));

if (options.help ?? options.mistake) {
  say(options.help ?? options.mistake);
  process.exitCode = options.help ? 0 : 2;
} else {
  await runAsCommand(async () => {
    const rows = options.mutate ? chooseRows(readCatalogue(), options.chosen) : [];
    const tools = await setUpForTests(options);
    return options.mutate ? mutateAll(tools, rows) : runRounds(tools);
  });
}

/** As often as was asked for; a round that fails is the last. */
async function runRounds(tools) {
  let counts = NOTHING;
  for (let round = 1; round <= options.times; round += 1) {
    if (options.times > 1) say(`• Faults: round ${round} of ${options.times}`);
    const ofRound = await runFaults(tools);
    counts = addCounts(counts, ofRound);
    if (ofRound.failed > 0) {
      say(`✗ Faults: round ${round} of ${options.times} failed`);
      break;
    }
  }
  return counts;
}
