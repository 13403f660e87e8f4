import { buildPage } from '../build-page.mjs';
import { build } from '../build.mjs';
import { checkPlatform } from '../platform.mjs';
import { prepareForTest } from '../prepare.mjs';
import { abortSteps } from '../run-step.mjs';
import { ensureHome, readSettings } from '../settings.mjs';
import { withSetupLock } from '../setup-lock.mjs';
import { describeError, say } from '../ui.mjs';
import { countLine } from './counts.mjs';
import { stopJest } from './jest.mjs';

/** What every kind of test runs on: packages, programs, the build. @returns the programs */
export async function setUpForTests(options) {
  checkPlatform();
  ensureHome();
  const settings = readSettings();
  return withSetupLock(async () => {
    const tools = await prepareForTest(settings, options);
    await build();
    await buildPage();
    return tools;
  });
}

/** Runs `main` as a command of its own: its counts are the very last line, and decide the exit code. */
export async function runAsCommand(main) {
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
}

function finish(counts) {
  say();
  say(countLine(counts));
  process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
}
