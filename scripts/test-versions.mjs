// npm run test:versions: this version and an earlier one work together, side by side on one Redis.
import './lib/check-node.mjs';
import { runVersions } from './lib/testing/jest.mjs';
import { NOTHING } from './lib/testing/counts.mjs';
import { runAsCommand, setUpForTests } from './lib/testing/set-up.mjs';
import { say } from './lib/ui.mjs';
import {
  buildEarlier,
  EARLIER_COMMIT,
  EARLIER_WITH_CALLS,
  findCommit,
} from './lib/versions/earlier-build.mjs';
import { readVersionOptions } from './lib/versions/options.mjs';

const options = readVersionOptions(process.argv.slice(2));

if (options.help ?? options.mistake) {
  say(options.help ?? options.mistake);
  process.exitCode = options.help ? 0 : 2;
} else {
  await main(options.commit ?? EARLIER_COMMIT, options.commit ?? EARLIER_WITH_CALLS);
}

async function main(ref, refWithCalls) {
  const commit = await findCommit(ref);
  if (commit === undefined && options.commit === undefined) {
    say(
      `○ Versions: skipped, since the history does not reach back to ${ref}. To have it: git fetch --unshallow`,
    );
    return;
  }
  await runAsCommand(async () => {
    if (commit === undefined) {
      say(`✗ Versions: there is no commit ${ref}`);
      return { ...NOTHING, failed: 1 };
    }
    const tools = await setUpForTests(options);
    const builds = [];
    try {
      for (const it of [commit, await findCommit(refWithCalls)]) builds.push(await buildEarlier(it));
      const [earlier, withCalls] = builds.map(({ folder }) => folder);
      say(`• Versions: this one beside ${ref.slice(0, 12)}, and calls beside ${refWithCalls.slice(0, 12)}`);
      return await runVersions(tools, { earlier, withCalls });
    } finally {
      for (const build of builds) build.remove();
    }
  });
}
