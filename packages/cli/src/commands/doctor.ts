import type { Command } from 'commander';
import { type CommandContext, type CommonFlags, withCommonOptions } from '../context.js';
import type { Finding, FindingStatus } from '../doctor/finding.js';
import { EXIT } from '../exit-codes.js';
import { clean } from '../output/clean.js';
import type { Terminal } from '../output/terminal.js';
import { wrap } from '../output/wrap.js';

interface DoctorFlags extends CommonFlags {
  quiet?: true;
}

/** `greenroom doctor`: what is wrong here, and how to mend it. */
export function addDoctor(program: Command, context: CommandContext): void {
  const command = program
    .command('doctor')
    .description(
      'Check Redis, LiveKit, ports, audio tools, versions, clock and disk, and say how to mend each',
    )
    .option('-q, --quiet', 'only what is not well')
    .addHelpText(
      'after',
      '\nIt reads the settings of the deployment from the environment: REDIS_URL, LIVEKIT_URL, LIVEKIT_API_KEY,\nLIVEKIT_API_SECRET, STATE_DIR and so on. npm run greenroom gives it those of npm start and .env.',
    );
  withCommonOptions(command, context).action(async ({ apiUrl, json, quiet }: DoctorFlags) => {
    const { terminal, environment, version, setExitCode } = context;
    // Only now: LiveKit's SDK takes longer to load than most commands to run.
    const { examine } = await import('../doctor/examine.js');
    const findings = await examine({ environment, apiUrl, version });
    const count = (status: FindingStatus): number =>
      findings.filter((finding) => finding.status === status).length;
    const summary = { ok: count('ok'), warnings: count('warning'), failures: count('failure') };
    if (summary.failures > 0) setExitCode(EXIT.failed);
    if (json) return terminal.printJson({ ...summary, findings });
    const shown = quiet ? findings.filter(({ status }) => status !== 'ok') : findings;
    for (const finding of shown) terminal.print(...render(finding, terminal));
    terminal.print(...(shown.length > 0 ? [''] : []), describe(summary));
  });
}

const MARKS = { ok: ['green', '✓'], warning: ['yellow', '!'], failure: ['red', '✗'] } as const;

function render({ check, status, message, fix }: Finding, { paint, width }: Terminal): string[] {
  const [style, mark] = MARKS[status];
  const area = check.split('.')[0] ?? '';
  const indent = 13;
  const [first = '', ...more] = wrap(clean(message), width - indent);
  const advice = fix === undefined ? [] : wrap(clean(fix), width - indent - 2);
  return [
    `${paint(style, mark)} ${area.padEnd(indent - 2)}${first}`,
    ...more.map((line) => ' '.repeat(indent) + line),
    ...advice.map(
      (line, index) => `${' '.repeat(indent)}${paint('cyan', `${index === 0 ? '→' : ' '} ${line}`)}`,
    ),
  ];
}

function describe({ ok, warnings, failures }: { ok: number; warnings: number; failures: number }): string {
  if (warnings === 0 && failures === 0) return `All ${ok} checks are well.`;
  const parts = [
    ...(failures > 0 ? [`${failures} failure${failures === 1 ? '' : 's'}`] : []),
    ...(warnings > 0 ? [`${warnings} warning${warnings === 1 ? '' : 's'}`] : []),
  ];
  return `${parts.join(' and ')}; ${ok} checks are well.`;
}
