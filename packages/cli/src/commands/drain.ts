import type { HostView } from '@greenroom/contracts';
import type { Command } from 'commander';
import type { AdminApi } from '../api/admin-api.js';
import { followEvents } from '../api/event-stream.js';
import { CliError } from '../cli-error.js';
import { adminApi, type CommandContext, type CommonFlags, withCommonOptions } from '../context.js';
import { EXIT } from '../exit-codes.js';
import { countOf } from '../output/units.js';

interface DrainFlags extends CommonFlags {
  wait?: true;
}

/** `greenroom drain HOST` and `greenroom undrain HOST`. */
export function addDrain(program: Command, context: CommandContext): void {
  const drain = program
    .command('drain')
    .description('Let a host take no more work; its calls go on until they end or DRAIN_TIMEOUT is over')
    .argument('<host>', 'name of the host')
    .option('-w, --wait', 'until nothing runs there any more');
  withCommonOptions(drain, context).action(async (host: string, flags: DrainFlags) => {
    const { terminal } = context;
    const api = adminApi(flags, context);
    const { callsLeft } = await api.drain(host);
    if (!flags.json) terminal.print(`${host} drains: ${countOf(callsLeft, 'call')} left.`);
    if (flags.wait) await waitUntilIdle(api, host, flags, context);
    if (flags.json)
      return terminal.printJson({ host, draining: true, callsLeft: flags.wait ? 0 : callsLeft });
    if (flags.wait) terminal.print(`${host} is idle. Take it back with: greenroom undrain ${host}`);
  });

  const undrain = program
    .command('undrain')
    .description('Let a drained host take work again')
    .argument('<host>', 'name of the host');
  withCommonOptions(undrain, context).action(async (host: string, flags: CommonFlags) => {
    const { terminal } = context;
    await adminApi(flags, context).undrain(host);
    if (flags.json) return terminal.printJson({ host, draining: false });
    terminal.print(`${host} takes work again.`);
  });
}

/** Looks whenever the stream tells of the host, and at nothing in between. @throws CliError where somebody undoes the drain */
async function waitUntilIdle(
  api: AdminApi,
  host: string,
  { json }: DrainFlags,
  context: CommandContext,
): Promise<void> {
  const { terminal, interrupted } = context;
  const stream = new AbortController();
  const signal = AbortSignal.any([interrupted, stream.signal]);
  let told: number | undefined;
  try {
    for await (const _ of followEvents(api.http, '/api/sessions/events', {
      query: { host, kinds: 'session,host' },
      signal,
    })) {
      const now = (await api.hosts()).find((one) => one.host === host);
      if (isIdle(now)) return;
      if (now?.state !== 'draining') throw givenUp(host, now);
      const left = now.drain?.callsLeft ?? now.calls;
      if (left !== told && !json)
        terminal.print(`${countOf(left, 'call')} and ${countOf(now.warm, 'warm agent')} left`);
      told = left;
    }
  } finally {
    stream.abort();
  }
}

/** Also one that has left: its spawner stopped in order. */
function isIdle(host: HostView | undefined): boolean {
  return host === undefined || (host.state === 'draining' && host.running === 0);
}

function givenUp(host: string, now: HostView | undefined): CliError {
  return new CliError(`${host} is ${now?.state ?? 'gone'}, and does not drain any more.`, {
    exitCode: EXIT.failed,
    next: 'greenroom hosts shows its state.',
  });
}
