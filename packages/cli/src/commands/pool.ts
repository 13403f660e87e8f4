import { readFileSync } from 'node:fs';
import type { PoolPolicy, PoolView } from '@greenroom/contracts';
import { type Command, Option } from 'commander';
import { CliError } from '../cli-error.js';
import { adminApi, type CommandContext, type CommonFlags, withCommonOptions } from '../context.js';
import { EXIT } from '../exit-codes.js';
import { type Column, renderTable } from '../output/table.js';
import type { Terminal } from '../output/terminal.js';
import { positiveInteger, wholeNumber } from './arguments.js';

interface PoolFlags extends CommonFlags {
  profile?: string;
}

interface PolicyFlags extends PoolFlags {
  size?: string;
  min?: number;
  max?: number;
  safety?: number;
  window?: number;
  file?: string;
}

/** `greenroom pool`: the warm agents, how many there should be, and by which rule. */
export function addPool(program: Command, context: CommandContext): void {
  const pool = program
    .command('pool')
    .description('Show the pools of warm agents')
    .option('-p, --profile <name>', 'only that of this kind of agent');
  withCommonOptions(pool, context).action((flags: PoolFlags) => listPools(flags, context));
  addResize(pool, context);
  addPolicy(pool, context);
}

async function listPools(flags: PoolFlags, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const all = await adminApi(flags, context).pools();
  const pools = all.filter(({ profile }) => flags.profile === undefined || profile === flags.profile);
  if (pools.length === 0 && flags.profile !== undefined) throw unknownProfile(flags.profile, all);
  if (flags.json) return terminal.printJson({ pools });
  terminal.print(
    ...renderTable(columns(terminal.paint), pools, terminal.width, (text) => terminal.paint('bold', text)),
  );
  for (const { profile, breaker } of pools) {
    if (breaker === undefined) continue;
    terminal.print(
      '',
      `${terminal.paint('red', '✗')} Agents of ${profile} fail to start, ${breaker.failures} in a row: ${breaker.reason}`,
      `  Starts fail fast until a probe goes well (${breaker.status}).`,
    );
  }
}

function columns(paint: Terminal['paint']): Column<PoolView>[] {
  return [
    { title: 'PROFILE', value: ({ profile }) => profile, min: 8 },
    {
      title: 'READY',
      value: ({ ready }) => String(ready),
      align: 'right',
      paint: (text, { ready, target }) => paint(ready >= target ? 'green' : 'yellow', text),
    },
    { title: 'WARMING', value: ({ warming }) => String(warming), align: 'right' },
    { title: 'TARGET', value: ({ target }) => String(target), align: 'right' },
    { title: 'HITS', value: hitRate, align: 'right' },
    { title: 'POLICY', value: ({ policy }) => describePolicy(policy), min: 8, drop: 1 },
    { title: 'WHY', value: ({ why }) => why, min: 12, drop: 2 },
  ];
}

/** Share of new sessions that got a warm agent. */
function hitRate({ starts, warmStarts }: PoolView): string {
  return starts === 0 ? '-' : `${Math.round((100 * warmStarts) / starts)}%`;
}

export function describePolicy(policy: PoolPolicy): string {
  switch (policy.kind) {
    case 'fixed':
      return `fixed ${policy.size}`;
    case 'buffer':
      return `buffer ${policy.size}, ${policy.min} to ${policy.max}`;
    case 'rate':
      return `rate, ${policy.min} to ${policy.max}`;
    case 'schedule':
      return `schedule, ${policy.entries.length} entr${policy.entries.length === 1 ? 'y' : 'ies'}`;
  }
}

function addResize(pool: Command, context: CommandContext): void {
  const command = pool
    .command('resize')
    .description('Hold so many warm agents from now on; fewer end idle ones only')
    .argument('<size>', 'how many', wholeNumber)
    .option('-p, --profile <name>', 'kind of agent; default: the default one');
  withCommonOptions(command, context).action(async (size: number, _: PoolFlags, self: Command) => {
    const flags = self.optsWithGlobals<PoolFlags>();
    const { profile, target, previous } = await adminApi(flags, context).resizePool(size, flags.profile);
    const { terminal } = context;
    if (flags.json) return terminal.printJson({ profile, target, previous });
    terminal.print(`The pool of ${profile} is to hold ${target} from now on (before: ${previous}).`);
  });
}

function addPolicy(pool: Command, context: CommandContext): void {
  const command = pool
    .command('policy')
    .description(
      'Let a pool size itself: by a fixed number, by live calls, by the rate of arrivals, or by the clock',
    )
    .addArgument(
      pool
        .createArgument('[kind]', 'rule; without one --file')
        .choices(['fixed', 'buffer', 'rate', 'schedule']),
    )
    .option('-p, --profile <name>', 'kind of agent; default: the default one')
    .option('--size <number>', 'fixed, buffer: warm agents, or for buffer per cent of the live calls: 20%')
    .option('--min <number>', 'buffer, rate: never fewer', wholeNumber)
    .option('--max <number>', 'buffer, rate: never more', wholeNumber)
    .option('--safety <number>', 'rate: margin in standard deviations', Number)
    .option('--window <seconds>', 'rate: how far back arrivals count', positiveInteger)
    .addOption(
      new Option('--file <json>', 'the whole policy as JSON (schedule needs it); - is stdin').conflicts([
        'size',
        'min',
        'max',
        'safety',
        'window',
      ]),
    )
    .addHelpText('after', '\nWhat each means: docs/pools.md');
  withCommonOptions(command, context).action(
    async (kind: string | undefined, _: PolicyFlags, self: Command) => {
      const flags = self.optsWithGlobals<PolicyFlags>();
      const answer = await adminApi(flags, context).setPoolPolicy(policyOf(kind, flags), flags.profile);
      const { profile, policy, target, previous } = answer;
      const { terminal } = context;
      if (flags.json) return terminal.printJson({ profile, policy, target, previous });
      terminal.print(
        `The pool of ${profile} follows ${describePolicy(policy)} from now on: it is to hold ${target} (before: ${previous}).`,
      );
    },
  );
}

/** What is missing or wrong in it, the api says. @throws CliError */
function policyOf(kind: string | undefined, { size, min, max, safety, window, file }: PolicyFlags): object {
  if (file !== undefined) return readPolicy(file, kind);
  if (kind === undefined || kind === 'schedule') {
    throw new CliError(
      kind === undefined ? 'Which policy? Give a kind, or --file.' : 'A schedule is given by --file.',
      {
        exitCode: EXIT.usage,
        next: 'greenroom pool policy --help shows how; docs/pools.md has examples.',
      },
    );
  }
  return {
    kind,
    ...(size !== undefined && { size: size.endsWith('%') ? size : Number(size) }),
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
    ...(safety !== undefined && { safety }),
    ...(window !== undefined && { windowSeconds: window }),
  };
}

function readPolicy(file: string, kind: string | undefined): object {
  try {
    const policy = JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8')) as object;
    return { ...(kind !== undefined && { kind }), ...policy };
  } catch (error) {
    throw new CliError(`The policy in ${file} cannot be read: ${(error as Error).message}`, {
      exitCode: EXIT.usage,
    });
  }
}

function unknownProfile(name: string, pools: readonly PoolView[]): CliError {
  return new CliError(`No profile is called ${name}.`, {
    exitCode: EXIT.notFound,
    next: `There are: ${pools.map(({ profile }) => profile).join(', ')}.`,
  });
}
