const HELP = `npm run test:faults [-- --times N] [-- --mutate [TOPIC or NUMBER ...]]

Breaks everything that Greenroom leans on, with real processes, a real Redis and a real LiveKit, and checks that no call
ends because of it and that nothing outlives a call. The very last line is the count.

  --times N      the whole suite N times over; the first round that fails is the last
  --mutate       breaks our own code instead, one row of tests/faults/*.faults.json at a time, in a copy of this folder,
                 and expects the row's test to fail; a topic (the file's name) or a number chooses rows
  --no-install   never call the system's package manager`;

/** @returns `{help}`, `{mistake}`, or what to do */
export function readFaultOptions(args) {
  const options = { mayInstall: true, times: 1, mutate: false, chosen: [] };
  const left = [...args];
  while (left.length > 0) {
    const word = left.shift();
    if (word === '--help' || word === '-h') return { help: HELP };
    if (word === '--no-install') options.mayInstall = false;
    else if (word === '--mutate') options.mutate = true;
    else if (word === '--times') options.times = Number(left.shift());
    else if (options.mutate && !word.startsWith('-')) options.chosen.push(word);
    else return { mistake: `npm run test:faults does not know ${word}.\n\n${HELP}` };
  }
  if (!Number.isInteger(options.times) || options.times < 1)
    return { mistake: '--times takes a whole number.' };
  return options;
}
