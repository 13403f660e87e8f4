import { useMemo } from 'react';
import { useConnection, useFollowing, useLive } from '../live/live.jsx';
import { serverNow, useTick } from '../live/clock.jsx';
import { useQuery } from '../router/location.js';
import { Alarms } from './alarms.jsx';
import { matcherOf, readFilters } from './filters.js';
import { HostsPanel } from './hosts-panel.jsx';
import { LinePanel } from './line-panel.jsx';
import styles from './now-screen.module.css';
import { PoolsPanel } from './pools-panel.jsx';
import { SessionTable } from './session-table.jsx';
import { readSort, sortSessions } from './sort.js';
import { Summary } from './summary.jsx';
import { Toolbar } from './toolbar.jsx';

/** What goes on right now. */
export function NowScreen() {
  const query = useQuery();
  const filters = useMemo(() => readFilters(query), [query]);
  const sort = useMemo(() => readSort(query), [query]);
  const sessions = useLive((state) => state.sessions);
  const isCut = useLive((state) => state.isCut);
  const following = useFollowing();
  // Only where age decides does time alone change what is shown.
  const tick = useTick(filters.older !== '');
  const shown = useMemo(() => {
    const matching = [...sessions.values()].filter(matcherOf(filters, serverNow(following)));
    return sortSessions(matching, sort);
    // oxlint-disable-next-line eslint-plugin-react-hooks/exhaustive-deps -- `tick` is the time that `serverNow` reads
  }, [sessions, filters, sort, following, tick]);

  return (
    <div className={styles.screen}>
      <h1 className="visually-hidden">Now</h1>
      <div className={styles.top}>
        <Alarms />
        <Summary />
        <Toolbar filters={filters} sort={sort} shown={shown.length} />
      </div>
      <div className={styles.table}>
        {isCut && (
          <p className={styles.cut} role="status" data-testid="is-cut">
            There are more sessions than the newest {sessions.size.toLocaleString('en')} that are listed here.
            Older ones are neither shown nor counted; ending what matches a filter means them, too.
          </p>
        )}
        <SessionTable sessions={shown} sort={sort} />
        {shown.length === 0 && <Nobody isAnyone={sessions.size > 0} />}
      </div>
      <aside className={styles.side} aria-label="Pools, hosts and the waiting line">
        <PoolsPanel />
        <HostsPanel />
        <LinePanel />
      </aside>
    </div>
  );
}

function Nobody({ isAnyone }: { isAnyone: boolean }) {
  const { kind } = useConnection();
  if (kind === 'connecting') return <p className={styles.nobody}>Loading…</p>;
  return (
    <p className={styles.nobody} data-testid="nobody">
      {isAnyone ? 'No live session matches these filters.' : 'No live sessions.'}
    </p>
  );
}
