import type { ReactNode } from 'react';
import { Age } from '../parts/age.jsx';
import { formatBytes, formatMs, formatPercent } from '../parts/format.js';
import { SessionStatus, Status } from '../parts/status.jsx';
import { isIdleWarm, type LiveSession, sinceOf } from '../live/live-state.js';
import { Link } from '../router/link.jsx';
import { PATHS } from '../router/location.js';
import { type SortKey, startMsOf } from './sort.js';
import styles from './session-table.module.css';

export interface Column {
  readonly key: SortKey;
  readonly label: string;
  readonly isNumber?: boolean;
  readonly cell: (session: LiveSession) => ReactNode;
}

const NOTHING = <span className={styles.nothing}>–</span>;

/** What the table says of a session, from left to right. */
export const COLUMNS: readonly Column[] = [
  {
    key: 'state',
    label: 'State',
    cell: ({ status, alarm, position }) => (
      <>
        {alarm === undefined ? (
          <SessionStatus status={status} />
        ) : (
          <Status icon="alert" tone="bad">
            {alarm}
          </Status>
        )}
        {status === 'queued' && position !== undefined && ` #${position}`}
      </>
    ),
  },
  { key: 'user', label: 'User', cell: (session) => <User session={session} /> },
  { key: 'profile', label: 'Profile', cell: ({ profile }) => profile },
  { key: 'host', label: 'Host', cell: ({ host }) => host ?? NOTHING },
  { key: 'agent', label: 'Agent', cell: ({ prewarmed }) => (prewarmed ? 'warm' : 'cold') },
  { key: 'start', label: 'Start time', isNumber: true, cell: (session) => startTimeOf(session) },
  { key: 'age', label: 'Age', isNumber: true, cell: (session) => <Age since={sinceOf(session)} /> },
  {
    key: 'cpu',
    label: 'CPU',
    isNumber: true,
    cell: ({ cpuPercent }) => (cpuPercent === undefined ? NOTHING : formatPercent(cpuPercent)),
  },
  {
    key: 'memory',
    label: 'Memory',
    isNumber: true,
    cell: ({ memoryBytes }) => (memoryBytes === undefined ? NOTHING : formatBytes(memoryBytes)),
  },
  {
    key: 'restarts',
    label: 'Restarts',
    isNumber: true,
    cell: ({ restarts }) => (restarts === 0 ? <span className={styles.nothing}>0</span> : restarts),
  },
];

/** Leads to the session's page, also in a tab of its own. */
function User({ session }: { session: LiveSession }) {
  const { sessionId, userName, userId, error } = session;
  const name = userName ?? userId ?? (isIdleWarm(session) ? 'nobody yet' : 'no name');
  const isKnown = userName !== null || userId !== null;
  return (
    <>
      <Link
        href={PATHS.session(sessionId)}
        tabIndex={-1}
        className={isKnown ? styles.name : styles.noName}
        title={error ?? sessionId}
      >
        {name}
      </Link>
      <span className={styles.userId}> {error ?? (userId === name ? '' : userId)}</span>
    </>
  );
}

function startTimeOf(session: LiveSession): ReactNode {
  const ms = startMsOf(session);
  if (ms === undefined) return NOTHING;
  return ms === 0 ? 'at once' : formatMs(ms);
}
