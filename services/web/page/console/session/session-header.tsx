import type { AdminSessionView, EndedSessionView } from '@greenroom/contracts';
import type { ReactNode } from 'react';
import { useLiveSession } from '../live/live.jsx';
import { Age } from '../parts/age.jsx';
import { formatBytes, formatMs, formatPercent, formatSeconds } from '../parts/format.js';
import { SessionStatus, Status } from '../parts/status.jsx';
import { Link } from '../router/link.jsx';
import { PATHS } from '../router/location.js';
import styles from './session-header.module.css';
import type { KnownSession } from './known-session.js';

type Loaded = Extract<KnownSession, { kind: 'live' | 'over' }>;
type Fact = readonly [name: string, value: ReactNode];

/** Who, what, where, since when; and what is wrong with it. */
export function SessionHeader({ session, children }: { session: Loaded; children?: ReactNode }) {
  const { view } = session;
  const problem = session.kind === 'live' ? (session.view.alarm ?? session.view.error) : session.view.error;
  return (
    <header className={styles.header}>
      <div className={styles.top}>
        <div className={styles.title}>
          <Link href={PATHS.now} className={styles.back}>
            Live sessions
          </Link>
          <h1>
            {view.userName ?? view.userId ?? 'A caller'}{' '}
            {session.kind === 'live' ? (
              <SessionStatus status={session.view.status} />
            ) : (
              <Status icon="stop" tone="quiet">
                over
              </Status>
            )}
          </h1>
          <code className={styles.id} data-testid="session-id">
            {view.sessionId}
          </code>
        </div>
        {children}
      </div>
      {problem !== undefined && problem !== null && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
      <dl className={styles.facts}>
        {(session.kind === 'live' ? liveFacts(session.view) : endedFacts(session.view)).map(
          ([name, value]) => (
            <div key={name} className={styles.fact}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
        )}
        {session.kind === 'live' && <Load sessionId={view.sessionId} />}
      </dl>
    </header>
  );
}

function liveFacts(view: AdminSessionView): Fact[] {
  return [
    ['Profile', view.profile],
    ['Host', view.host ?? 'none yet'],
    ['Start', view.prewarmed ? 'warm' : 'cold'],
    ['Agent ready in', view.startupTime === null ? '—' : formatMs(view.startupTime)],
    ['Age', <Age key="age" since={view.assignedAt ?? view.createdAt} />],
    ['Restarts', String(view.restarts)],
    ['Voice', view.voiceId ?? 'default'],
  ];
}

function endedFacts(view: EndedSessionView): Fact[] {
  const { durations } = view;
  return [
    ['Why it ended', reasonOf(view)],
    ['Length', durations.totalMs === null ? '—' : formatSeconds(Math.round(durations.totalMs / 1_000))],
    ['Profile', view.profile],
    ['Host', [...new Set(view.launches.map(({ host }) => host))].join(', ') || '—'],
    ['Start', view.prewarmed ? 'warm' : 'cold'],
    ['Ready after', durations.untilReadyMs === null ? '—' : formatMs(durations.untilReadyMs)],
    ['Restarts', String(view.restarts)],
    ['CPU', view.cpuSeconds === null ? '—' : `${view.cpuSeconds.toFixed(1)} s`],
    ['Most memory', view.peakMemoryBytes === null ? '—' : formatBytes(view.peakMemoryBytes)],
  ];
}

function reasonOf({ endReason, endedBy, endDetail }: EndedSessionView): string {
  const by = endedBy === null || endReason.startsWith(endedBy) ? '' : ` (by ${endedBy})`;
  return `${endReason.replaceAll('_', ' ')}${by}${endDetail ? `: ${endDetail}` : ''}`;
}

/** As the stream of all tells it. */
function Load({ sessionId }: { sessionId: string }) {
  const { cpuPercent, memoryBytes } = useLiveSession(sessionId) ?? {};
  return (
    <>
      <div className={styles.fact}>
        <dt>CPU</dt>
        <dd>{cpuPercent === undefined ? '—' : formatPercent(cpuPercent)}</dd>
      </div>
      <div className={styles.fact}>
        <dt>Memory</dt>
        <dd>{memoryBytes === undefined ? '—' : formatBytes(memoryBytes)}</dd>
      </div>
    </>
  );
}
