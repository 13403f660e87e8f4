import { parseArgs } from 'node:util';

const HELP = `npm run test:dead-air -- [--apis 1,2,4,8] [--calls N] [--seed N] [--kills | --no-kills] [--short] [--logs FOLDER]

Silent phone calls against a stand-in for Telnyx, whose webhooks reach the apis in turn, shuffled and doubled; a table of how far
each step was from its time, and a verdict.
  --apis      how many api processes, one run for each number; default 1,2,4,8
  --calls     at once; default 200
  --kills     only the run in which apis and the spawner are killed; --no-kills: all but that one
  --short     the cases that fit into half a minute
  --logs      a folder for the services' logs
`;

/** @returns `{help}`, `{mistake}` or the options */
export function readOptions(args) {
  const text = { type: 'string' };
  const flag = { type: 'boolean' };
  try {
    const { values } = parseArgs({
      args,
      options: {
        apis: text,
        calls: text,
        seed: text,
        kills: flag,
        'no-kills': flag,
        short: flag,
        logs: text,
        help: flag,
      },
    });
    if (values.help) return { help: HELP };
    return {
      apis: (values.apis ?? '1,2,4,8').split(',').map((it) => wholeNumber('apis', it)),
      calls: wholeNumber('calls', values.calls ?? '200'),
      seed: wholeNumber('seed', values.seed ?? '1'),
      calm: !values.kills,
      kills: !values['no-kills'],
      short: values.short ?? false,
      logs: values.logs,
    };
  } catch (error) {
    return { mistake: `${error.message}\n\n${HELP}` };
  }
}

function wholeNumber(name, text) {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`--${name} must be a whole number`);
  return Number(text);
}
