// npm test: the same set-up as npm start, then lint and every short test. The very last line is the count.
import './lib/check-node.mjs';
import { build } from './lib/build.mjs';
import { readOptions } from './lib/options.mjs';
import { checkPlatform } from './lib/platform.mjs';
import { prepareForTest } from './lib/prepare.mjs';
import { abortSteps } from './lib/run-step.mjs';
import { ensureHome, readSettings } from './lib/settings.mjs';
import { withSetupLock } from './lib/setup-lock.mjs';
import { addCounts, countLine, NOTHING } from './lib/testing/counts.mjs';
import { runJest, stopJest } from './lib/testing/jest.mjs';
import { runLint } from './lib/testing/lint.mjs';
import { describeError, say } from './lib/ui.mjs';

const settings = readSettings();
const options = readOptions(process.argv.slice(2));

async function main() {
  checkPlatform();
  ensureHome();
  const tools = await withSetupLock(async () => {
    const chosen = await prepareForTest(settings, options);
    await build();
    return chosen;
  });
  // Asked for certain tests, somebody is at work on them: lint is for the whole.
  const lint = options.rest.length > 0 ? NOTHING : await runLint();
  return addCounts(lint, await runJest(tools, options.rest));
}

function finish(counts) {
  say();
  say(countLine(counts));
  process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    abortSteps();
    stopJest();
  });
}

try {
  finish(await main());
} catch (error) {
  say(describeError(error));
  finish({ passed: 0, failed: 1, skipped: 0 });
}
