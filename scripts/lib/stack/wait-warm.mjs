import { setTimeout as sleep } from 'node:timers/promises';

const TIMEOUT_MS = 60_000;

/**
 * Waits until the pool is filled, or at least somebody is warm and nobody else is on the way.
 * @returns {Promise<{warm: number, target: number, inTime: boolean}>}
 */
export async function waitUntilWarm({ apiUrl, target, isStopping = () => false, timeoutMs = TIMEOUT_MS }) {
  const deadline = performance.now() + timeoutMs;
  let warm = 0;
  let calmSince;
  while (performance.now() < deadline && !isStopping()) {
    const sessions = await readSessions(apiUrl);
    warm = sessions?.pool ?? warm;
    if (warm >= target) return { warm, target, inTime: true };
    // A pool resized in an earlier run keeps its size, so fewer than the setting may be all there will be.
    const isCalm = sessions && sessions.warming === 0 && warm > 0;
    calmSince = isCalm ? (calmSince ?? performance.now()) : undefined;
    if (calmSince && performance.now() - calmSince > 3_000) return { warm, target, inTime: true };
    await sleep(200);
  }
  return { warm, target, inTime: false };
}

async function readSessions(apiUrl) {
  try {
    const response = await fetch(`${apiUrl}/api/health`, { signal: AbortSignal.timeout(2_000) });
    return (await response.json()).sessions;
  } catch {
    return undefined;
  }
}
