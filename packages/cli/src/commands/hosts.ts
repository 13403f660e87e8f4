import type { HostView } from '@greenroom/contracts';
import type { Command } from 'commander';
import { adminApi, type CommandContext, type CommonFlags, withCommonOptions } from '../context.js';
import { EXIT } from '../exit-codes.js';
import { type Column, renderTable } from '../output/table.js';
import type { Terminal } from '../output/terminal.js';
import { countOf, formatAge, formatBytes } from '../output/units.js';

interface LostFlags extends CommonFlags {
  yes?: true;
}

/** `greenroom hosts`: the machines that run agents; `greenroom host lost`: one that will not come back. */
export function addHosts(program: Command, context: CommandContext): void {
  const hosts = program.command('hosts').description('List the hosts that run agents');
  withCommonOptions(hosts, context).action(async (flags: CommonFlags) => {
    const { terminal } = context;
    const all = await adminApi(flags, context).hosts();
    if (flags.json) return terminal.printJson({ hosts: all });
    if (all.length === 0)
      return terminal.print('No host has ever reported. Is a spawner running? greenroom doctor says more.');
    terminal.print(
      ...renderTable(columns(terminal.paint), all, terminal.width, (text) => terminal.paint('bold', text)),
    );
  });
  addLost(program.command('host').description('Do something about one host'), context);
}

const STYLES: Readonly<Record<HostView['state'], Parameters<Terminal['paint']>[0]>> = {
  up: 'green',
  draining: 'yellow',
  unreachable: 'red',
  lost: 'red',
};

function columns(paint: Terminal['paint']): Column<HostView>[] {
  return [
    { title: 'HOST', value: ({ host }) => host, min: 10 },
    {
      title: 'STATE',
      value: ({ state, drain }) => (drain === null ? state : `${state}, ${drain.callsLeft} left`),
      paint: (text, { state }) => paint(STYLES[state], text),
    },
    { title: 'LOAD', value: ({ running, capacity }) => `${running}/${capacity}`, align: 'right' },
    { title: 'CALLS', value: ({ calls }) => String(calls), align: 'right' },
    { title: 'WARM', value: ({ warm }) => String(warm), align: 'right' },
    { title: 'STARTING', value: ({ starting }) => String(starting), align: 'right', drop: 4 },
    { title: 'CPU', value: cpu, align: 'right', drop: 5 },
    {
      title: 'FREE MEM',
      value: ({ memory }) => formatBytes(memory.freeBytes),
      align: 'right',
      drop: 3,
      paint: (text, { memory }) => (memory.isShort ? paint('red', text) : text),
    },
    { title: 'VERSION', value: ({ version }) => version ?? '-', drop: 2 },
    { title: 'HEARD', value: ({ lastSeenAt }) => since(lastSeenAt), align: 'right', drop: 1 },
    { title: 'UP', value: ({ startedAt }) => since(startedAt, ''), align: 'right', drop: 6 },
  ];
}

function cpu({ load }: HostView): string {
  const percent = load?.cpuPercent;
  return percent === null || percent === undefined ? '-' : `${Math.round(percent)}%`;
}

function since(at: string | null, suffix = ' ago'): string {
  return at === null ? '-' : `${formatAge(Date.now() - Date.parse(at))}${suffix}`;
}

function addLost(host: Command, context: CommandContext): void {
  const command = host
    .command('lost')
    .description('Give up a host that will not come back: its calls get an agent elsewhere now')
    .argument('<host>', 'name of the host')
    .option('-y, --yes', 'do not ask');
  withCommonOptions(command, context).action(async (host: string, flags: LostFlags) => {
    const { terminal } = context;
    if (
      !flags.yes &&
      !(await terminal.confirm(`Give up ${host}? Its agents are replaced even if they still run.`))
    ) {
      context.setExitCode(EXIT.failed);
      return terminal.complain('Nothing was done.');
    }
    const { moved, ended, dropped } = await adminApi(flags, context).declareLost(host);
    if (flags.json) return terminal.printJson({ host, moved, ended, dropped });
    terminal.print(
      `${host} is lost: ${countOf(moved, 'call')} moved, ${ended} ended, ${countOf(dropped, 'warm agent')} dropped.`,
    );
  });
}
