import type { StatsView } from '@greenroom/contracts';
import { useEffect, useState } from 'react';
import { askAsAdmin } from '../door/admin-token.js';

const MINUTE_MS = 60_000;
/** The minute that is over is counted whole by then. */
const MARGIN_MS = 1_000;

export interface Stats {
  readonly stats: StatsView | undefined;
  readonly problem: string | undefined;
}

/**
 * The numbers of the last hour or day. They are kept by the minute, so they are asked for when one is over, while somebody looks:
 * there is nothing that could be pushed in between.
 */
export function useStats(window: StatsView['window']): Stats {
  const [known, setKnown] = useState<Stats>({ stats: undefined, problem: undefined });
  useEffect(() => {
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      clearTimeout(timer);
      try {
        const stats = await askAsAdmin<StatsView>(`/api/stats?window=${window}`, { signal: gone.signal });
        setKnown({ stats, problem: undefined });
      } catch (error) {
        if (gone.signal.aborted) return;
        setKnown((before) => ({
          ...before,
          problem: error instanceof Error ? error.message : String(error),
        }));
      }
      timer = setTimeout(() => void look(), MINUTE_MS - (Date.now() % MINUTE_MS) + MARGIN_MS);
    };
    const onShown = (): void => {
      if (document.visibilityState === 'visible') void look();
    };
    document.addEventListener('visibilitychange', onShown);
    void look();
    return () => {
      gone.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onShown);
    };
  }, [window]);
  return known;
}
