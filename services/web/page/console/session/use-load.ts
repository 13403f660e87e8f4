import type { LoadSample, SessionLoadView } from '@greenroom/contracts';
import { useEffect, useState } from 'react';
import { askAsAdmin } from '../door/admin-token.js';
import { useLiveSession } from '../live/live.jsx';

/** What its agent used at each health check: all so far by one question, each new one as the stream of all tells it. */
export function useLoad(sessionId: string): readonly LoadSample[] {
  const [samples, setSamples] = useState<readonly LoadSample[]>([]);
  useEffect(() => {
    const gone = new AbortController();
    askAsAdmin<SessionLoadView>(`/api/session/${encodeURIComponent(sessionId)}/load`, {
      signal: gone.signal,
    }).then(
      (answer) => setSamples(answer.samples),
      () => undefined,
    );
    return () => gone.abort();
  }, [sessionId]);

  const live = useLiveSession(sessionId);
  const { measuredAt, cpuPercent, memoryBytes } = live ?? {};
  useEffect(() => {
    if (measuredAt === undefined || memoryBytes === undefined || cpuPercent === undefined) return;
    setSamples((known) =>
      known.some(({ at }) => at >= measuredAt)
        ? known
        : [...known, { at: measuredAt, cpuPercent, memoryBytes, processes: 0 }],
    );
  }, [measuredAt, cpuPercent, memoryBytes]);
  return samples;
}
