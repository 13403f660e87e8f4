const HELP = `npm run test:versions [-- --commit REF]

Builds an earlier commit of this repository in a folder of its own and runs it beside this one on one Redis and one LiveKit:
the earlier api with this spawner, the reverse, spawners of both, and each version taking over what the other one left.
Silent calls run beside a second one, which watches them too.
The very last line is the count.

  --commit REF   another commit in place of both
  --no-install   never call the system's package manager`;

/** @returns `{help}`, `{mistake}`, or what to do */
export function readVersionOptions(args) {
  const options = { mayInstall: true, commit: undefined };
  const left = [...args];
  while (left.length > 0) {
    const word = left.shift();
    if (word === '--help' || word === '-h') return { help: HELP };
    if (word === '--no-install') options.mayInstall = false;
    else if (word === '--commit' && left.length > 0) options.commit = left.shift();
    else return { mistake: `npm run test:versions does not know ${word}.\n\n${HELP}` };
  }
  return options;
}
