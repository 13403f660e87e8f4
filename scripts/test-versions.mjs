// npm run test:versions: this version and an earlier one work together, side by side on one Redis.
import './lib/check-node.mjs';
import { runVersions } from './lib/testing/jest.mjs';
import { NOTHING } from './lib/testing/counts.mjs';
import { runAsCommand, setUpForTests } from './lib/testing/set-up.mjs';
import { say } from './lib/ui.mjs';
import { buildEarlier, EARLIER_COMMIT, findCommit } from './lib/versions/earlier-build.mjs';
import { readVersionOptions } from './lib/versions/options.mjs';

const options = readVersionOptions(process.argv.slice(2));

if (options.help ?? options.mistake) {
  say(options.help ?? options.mistake);
  process.exitCode = options.help ? 0 : 2;
} else {
  await main(options.commit ?? EARLIER_COMMIT);
}

async function main(ref) {
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
    const earlier = await buildEarlier(commit);
    try {
      say(`• Versions: this one beside ${commit.slice(0, 12)}`);
      return await runVersions(tools, earlier.folder);
    } finally {
      earlier.remove();
    }
  });
}
