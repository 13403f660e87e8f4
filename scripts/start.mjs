// npm start: from a clean clone to a running Greenroom. Each line of `main` is a stage; scripts/lib has them.
import './lib/check-node.mjs';
import { answerInsteadOfStarting, readOptions } from './lib/options.mjs';
import { checkPlatform } from './lib/platform.mjs';
import { prepareForStart } from './lib/prepare.mjs';
import { abortSteps } from './lib/run-step.mjs';
import { ensureHome, readSettings } from './lib/settings.mjs';
import { withSetupLock } from './lib/setup-lock.mjs';
import { checkServicePorts } from './lib/stack/check-ports.mjs';
import { clearLeftovers, refuseSecondStart } from './lib/stack/leftovers.mjs';
import { recordStart, Stack } from './lib/stack/run.mjs';
import { sayReady } from './lib/stack/say-ready.mjs';
import { listenForSignals, makeShutdown } from './lib/stack/shutdown.mjs';
import { describeError, say } from './lib/ui.mjs';

const options = readOptions(process.argv.slice(2));
const answer = answerInsteadOfStarting(options);
if (answer) {
  say(answer.text);
  process.exit(answer.exitCode);
}
const settings = readSettings();
const stack = new Stack();
const shutdown = makeShutdown(stack, settings);

async function main() {
  checkPlatform();
  ensureHome();
  refuseSecondStart();
  recordStart();
  const leftovers = await clearLeftovers(settings);
  await checkServicePorts(settings);
  const choices = await withSetupLock(() => prepareForStart(settings, options, leftovers));
  const env = await stack.startServers({ settings, choices, leftovers });
  recordStart(env);
  await stack.startServices(env);
  await sayReady(env, () => stack.isStopping);
}

async function endEverything() {
  stack.isStopping = true;
  abortSteps();
  say();
  await shutdown.run();
  process.exit(0);
}

listenForSignals({ onFirst: endEverything, onMore: shutdown.hurryUp });

try {
  await main();
} catch (error) {
  // What fails while we are being stopped fails because of that.
  if (!stack.isStopping) {
    say(describeError(error));
    await shutdown.run();
    process.exit(error.exitCode ?? 1);
  }
}
