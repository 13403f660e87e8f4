import { join } from 'node:path';
import { buildPage } from './build-page.mjs';
import { build, RUNTIME_PROJECTS } from './build.mjs';
import { chooseLiveKit, chooseLiveKitProgram } from './livekit/choose.mjs';
import { installNodePackages } from './node-packages.mjs';
import { LOG_DIR } from './paths.mjs';
import { runsReferenceAgent } from './reference-agent.mjs';
import { checkRedisOnOffer, chooseRedis, chooseRedisProgram } from './redis/choose.mjs';
import { installSystemPackages } from './system/install.mjs';
import { NEEDS } from './system/needs.mjs';
import { say, SetupError } from './ui.mjs';

/** Everything that `npm start` runs on. */
export async function prepareForStart(settings, options, leftovers) {
  await installNodePackages();
  // Another agent brings its own tools.
  const extras = runsReferenceAgent(settings) ? ['speech'] : [];
  const lookForRedis = async () => leftovers.redis ?? (await chooseRedis(settings));
  const redis = await provideSystemTools(lookForRedis, extras, options);
  const livekit = await chooseLiveKit(settings);
  await build(RUNTIME_PROJECTS);
  await buildPage();
  return { redis, livekit };
}

/** Everything that `npm test` runs on: programs only, as tests start their own servers. */
export async function prepareForTest(settings, options) {
  await installNodePackages();
  const redis = await provideSystemTools(
    () => chooseRedisProgram(settings),
    ['speech', 'curl', 'faketime', 'chromium'],
    options,
  );
  const livekit = await chooseLiveKitProgram(settings);
  return { redis, livekit };
}

/** One installation, and so at most one question, for all that is missing. */
async function provideSystemTools(lookForRedis, extras, options) {
  const redis = await lookForRedis();
  const missing = extras.filter((name) => !NEEDS[name].isThere());
  if (!redis) {
    await checkRedisOnOffer();
    missing.unshift('redis');
  }
  await installSystemPackages(missing, options);
  const found = redis ?? (await lookForRedis());
  const stillMissing = missing.filter((name) => (name === 'redis' ? !found : !NEEDS[name].isThere()));
  if (stillMissing.length > 0) {
    throw new SetupError(
      `Installed, but still not found: ${stillMissing.map((name) => NEEDS[name].title).join(', ')}.`,
      {
        logFile: join(LOG_DIR, 'system-install.log'),
        next: 'see there what the package manager did; the programs have to be on PATH',
      },
    );
  }
  if (extras.includes('speech')) say('✓ Speech tools: here');
  return found;
}
