import { lazy, Suspense, useEffect } from 'react';
import { HostsScreen } from './hosts/hosts-screen.jsx';
import { NowScreen } from './now/now-screen.jsx';
import { Link } from './router/link.jsx';
import { type Page, PATHS, pageAt, usePath } from './router/location.js';
import styles from './screen.module.css';

// Their charts and streams are loaded by whoever opens them.
const SessionScreen = lazy(async () => ({
  default: (await import('./session/session-screen.jsx')).SessionScreen,
}));
const ChartsScreen = lazy(async () => ({
  default: (await import('./charts/charts-screen.jsx')).ChartsScreen,
}));

/** What the address says. */
export function Screen() {
  const page = pageAt(usePath());
  useEffect(() => {
    document.title = `${titleOf(page)} · Greenroom console`;
  });
  return <Suspense fallback={<p className={styles.loading}>Loading…</p>}>{screenOf(page)}</Suspense>;
}

function screenOf(page: Page) {
  switch (page.name) {
    case 'now':
      return <NowScreen />;
    case 'hosts':
      return <HostsScreen />;
    case 'charts':
      return <ChartsScreen />;
    case 'session':
      return <SessionScreen key={page.sessionId} sessionId={page.sessionId} />;
    case 'unknown':
      return <NoSuchScreen />;
  }
}

function titleOf(page: Page): string {
  switch (page.name) {
    case 'now':
      return 'Now';
    case 'hosts':
      return 'Hosts & pool';
    case 'charts':
      return 'Charts';
    case 'session':
      return 'Session';
    case 'unknown':
      return 'Nothing here';
  }
}

function NoSuchScreen() {
  return (
    <div className={styles.nothing}>
      <h1>There is nothing at this address.</h1>
      <p>
        <Link href={PATHS.now}>Go to the live sessions</Link>
      </p>
    </div>
  );
}
