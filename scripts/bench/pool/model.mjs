// A pool of a fixed size on paper: which arrivals would find an agent. Only tells where to begin measuring.

/**
 * @param {number[]} arrivalsMs in order
 * @param {{size: number, replaceMs: number, launches: number}} pool `launches`: warm agents loading at a time
 */
export function hitRateOfFixed(arrivalsMs, { size, replaceMs, launches }) {
  const readyAt = Array.from({ length: size }, () => 0);
  const free = Array.from({ length: launches }, () => 0);
  let hits = 0;
  for (const now of arrivalsMs) {
    const agent = readyAt.findIndex((at) => at <= now);
    if (agent === -1) continue;
    hits += 1;
    const lane = free.indexOf(Math.min(...free));
    free[lane] = Math.max(now, free[lane]) + replaceMs;
    readyAt[agent] = free[lane];
  }
  return hits / arrivalsMs.length;
}

export function smallestFixed(arrivalsMs, wanted, pool) {
  let size = 1;
  while (size < 100 && hitRateOfFixed(arrivalsMs, { ...pool, size }) < wanted) size += 1;
  return size;
}
