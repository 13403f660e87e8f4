import { useCallback, useMemo, useState } from 'react';
import { Link } from '../router/link.jsx';
import { PATHS } from '../router/location.js';
import { Actions } from './actions.jsx';
import { DeadAirPanel } from './dead-air-panel.jsx';
import type { KnownSession } from './known-session.js';
import { LogPanel } from './log-panel.jsx';
import { ProcessPanel } from './process-panel.jsx';
import { SessionHeader } from './session-header.jsx';
import styles from './session-screen.module.css';
import { tellStory } from './story.js';
import { TranscriptPanel } from './transcript-panel.jsx';
import { useLoad } from './use-load.js';
import { useLog } from './use-log.js';
import { useSession } from './use-session.js';
import { Waterfall } from './waterfall.jsx';

/** One session: what happened in it, and what can be done about it. */
export function SessionScreen({ sessionId }: { sessionId: string }) {
  const { session, reload } = useSession(sessionId);
  switch (session.kind) {
    case 'loading':
      return <p className={styles.loading}>Loading the session…</p>;
    case 'unknown':
      return (
        <div className={styles.unknown} data-testid="session-unknown">
          <h1>This session cannot be shown</h1>
          <p>{session.why}</p>
          <p>
            <Link href={PATHS.now}>Go to the live sessions</Link>
          </p>
        </div>
      );
    case 'live':
    case 'over':
      return <Shown session={session} sessionId={sessionId} reload={reload} />;
  }
}

type Loaded = Extract<KnownSession, { kind: 'live' | 'over' }>;

interface Picked {
  readonly at: number;
  /** The log goes to it: it was chosen elsewhere. */
  readonly isToBeShown: boolean;
}

function Shown({ session, sessionId, reload }: { session: Loaded; sessionId: string; reload: () => void }) {
  const { timeline } = session;
  // Pointing at the axis draws the page anew at each move: the story is told only when there is more of it.
  const story = useMemo(() => tellStory(timeline.timeline, timeline.entries), [timeline]);
  const samples = useLoad(sessionId);
  const isLive = session.kind === 'live';
  const [isPaused, setIsPaused] = useState(false);
  const log = useLog(sessionId, isLive, isPaused);
  // A moment that is pointed at on the axis, in the transcript or in the log is marked in all of them; one that is chosen stays so.
  const [pointed, setPointed] = useState<number>();
  const [picked, setPicked] = useState<Picked>();
  const pickOnAxis = useCallback(
    (at: number | undefined) => setPicked(at === undefined ? undefined : { at, isToBeShown: true }),
    [],
  );
  const pickInLog = useCallback((at: number) => setPicked({ at, isToBeShown: false }), []);
  const moment = pointed ?? picked?.at;
  return (
    <div className={styles.screen} data-testid="session-screen" data-kind={session.kind}>
      <SessionHeader session={session}>
        {isLive && <Actions view={session.view} listenIn={timeline.listenIn} />}
      </SessionHeader>
      <Waterfall
        story={story}
        samples={samples}
        log={log.lines}
        isCut={timeline.isCut}
        pointed={pointed}
        onPoint={setPointed}
        picked={picked?.at}
        onPick={pickOnAxis}
      />
      <div className={styles.columns}>
        <TranscriptPanel story={story} isLive={isLive} pointed={moment} onPoint={setPointed} />
        <LogPanel
          sessionId={sessionId}
          isLive={isLive}
          log={log}
          start={story.start}
          isPaused={isPaused}
          onPause={setIsPaused}
          moment={moment}
          scrollTo={picked?.isToBeShown ? picked : undefined}
          onPoint={setPointed}
          onPick={pickInLog}
        />
        {isLive && session.view.deadAir && (
          <DeadAirPanel sessionId={sessionId} deadAir={session.view.deadAir} onChanged={reload} />
        )}
        {isLive && <ProcessPanel sessionId={sessionId} agentPid={session.view.agentPid} />}
      </div>
    </div>
  );
}
