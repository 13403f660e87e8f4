import type { HostView } from '@greenroom/contracts';
import { Bar } from './bar.jsx';
import { formatBytes, formatPercent } from './format.js';

/** How full a host is, drawn. */
export function HostBar({ host: { calls, warm, capacity } }: { host: HostView }) {
  return (
    <Bar
      of={capacity}
      parts={[
        { count: calls, tone: 'good' },
        { count: warm, tone: 'info' },
      ]}
    />
  );
}

/** What its machine does, as far as it says so. */
export function loadOf({ load, memory }: HostView): string {
  const cpu =
    load?.cpuPercent === undefined || load.cpuPercent === null ? '' : `CPU ${formatPercent(load.cpuPercent)}`;
  const free = memory.freeBytes === null ? '' : `${formatBytes(memory.freeBytes)} free`;
  return [cpu, free].filter(Boolean).join(' · ');
}
