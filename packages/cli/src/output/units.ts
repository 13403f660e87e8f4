const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long something has been, in two units at most: `42s`, `3m 12s`, `1h 05m`, `2d 03h`. */
export function formatAge(ms: number): string {
  if (!Number.isFinite(ms)) return '-';
  const at = Math.max(0, ms);
  if (at < MINUTE) return `${Math.floor(at / SECOND)}s`;
  if (at < HOUR) return `${Math.floor(at / MINUTE)}m ${two(Math.floor((at % MINUTE) / SECOND))}s`;
  if (at < DAY) return `${Math.floor(at / HOUR)}h ${two(Math.floor((at % HOUR) / MINUTE))}m`;
  return `${Math.floor(at / DAY)}d ${two(Math.floor((at % DAY) / HOUR))}h`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

const STEPS = ['B', 'K', 'M', 'G', 'T'];

/** In powers of 1024, as `ps` and `free -h` show it: `512K`, `145M`, `1.2G`. */
export function formatBytes(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return '-';
  let value = bytes;
  let step = 0;
  while (value >= 1023.5 && step < STEPS.length - 1) {
    value /= 1024;
    step += 1;
  }
  return `${value < 9.95 && step > 0 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)}${STEPS[step]}`;
}

const PARSED: Readonly<Record<string, number>> = { s: SECOND, m: MINUTE, h: HOUR, d: DAY };

/** `90s`, `10m`, `1h30m`, `2d`, or a bare number of seconds; milliseconds. Undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) * SECOND;
  if (!/^(\d+[smhd])+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d+)([smhd])/g)];
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (PARSED[unit ?? ''] ?? 0), 0);
}

/** The clock of this machine: `14:03:59`. */
export function formatTime(at: string | number): string {
  return new Date(at).toLocaleTimeString('en-GB', { hour12: false });
}

/** `1 call`, `2 calls`. */
export function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
