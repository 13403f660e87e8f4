import { parseArgs } from 'node:util';

const HELP = `npm run chaos -- [--seed N] [--pairs N] [--minutes N | --seconds N] [--spawners N] [--apis N] [--settle N]

Random starts and ends while spawners and apis are killed, told to leave, frozen and cut off, and a verdict at the end.
  --seed      repeats the requests and the faults of a run; default: a new one, which is printed
  --pairs     start/end pairs; default 1000. A few callers more stay until the end
  --minutes   how long the faults go on; default 5
  --settle    seconds from the last fault's healing to the verdict; default 30
  --logs      a folder for the services' logs and the trace
`;

/** @returns `{help}`, `{mistake}` or the options */
export function readChaosOptions(args) {
  const number = { type: 'string' };
  try {
    const { values } = parseArgs({
      args,
      options: {
        seed: number,
        pairs: number,
        minutes: number,
        seconds: number,
        spawners: number,
        apis: number,
        settle: number,
        logs: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
    if (values.help) return { help: HELP };
    const read = (name, otherwise) => {
      const value = values[name] === undefined ? otherwise : Number(values[name]);
      if (!(value >= 0)) throw new Error(`--${name} must be a number`);
      return value;
    };
    return {
      seed: read('seed', Math.floor(Math.random() * 1e9)),
      pairs: read('pairs', 1000),
      seconds: values.seconds === undefined ? read('minutes', 5) * 60 : read('seconds'),
      spawners: read('spawners', 3),
      apis: read('apis', 2),
      settleSeconds: read('settle', 30),
      logs: values.logs,
    };
  } catch (error) {
    return { mistake: `${error.message}\n\n${HELP}` };
  }
}
