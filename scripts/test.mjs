// npm test: the same set-up as npm start, then lint and every short test. The very last line is the count.
import './lib/check-node.mjs';
import { readOptions } from './lib/options.mjs';
import { addCounts, NOTHING } from './lib/testing/counts.mjs';
import { runJest } from './lib/testing/jest.mjs';
import { runLint } from './lib/testing/lint.mjs';
import { runAsCommand, setUpForTests } from './lib/testing/set-up.mjs';

const options = readOptions(process.argv.slice(2));

await runAsCommand(async () => {
  const tools = await setUpForTests(options);
  // Asked for certain tests, somebody is at work on them: lint is for the whole.
  const lint = options.rest.length > 0 ? NOTHING : await runLint();
  return addCounts(lint, await runJest(tools, options.rest));
});
