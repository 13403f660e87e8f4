/** A measured duration for people, as the HTTP contract wants it: `"12 ms"` below a second, else `"1.8 s"`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  return `${(ms / 1000).toFixed(1)} s`;
}
