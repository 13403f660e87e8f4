import type { ReactNode } from 'react';
import { Button } from '../../shared/ui/button.jsx';
import { signOut } from '../door/admin-token.js';
import { StreamBanner, StreamState } from './stream-state.jsx';
import { Link } from '../router/link.jsx';
import { PATHS, pageAt, usePath } from '../router/location.js';
import styles from './frame.module.css';
import { QueuesLink } from './queues-link.jsx';

const LINKS = [
  { name: 'now', label: 'Now', href: PATHS.now },
  { name: 'hosts', label: 'Hosts & pool', href: PATHS.hosts },
  { name: 'charts', label: 'Charts', href: PATHS.charts },
] as const;

/** What surrounds every screen: where to go, and how sure we are of what is shown. */
export function Frame({ children }: { children: ReactNode }) {
  const { name } = pageAt(usePath());
  return (
    <div className={styles.frame}>
      <a className={styles.skip} href="#screen">
        Skip to the content
      </a>
      <header className={styles.header}>
        <Link href={PATHS.now} className={styles.brand} aria-label="Greenroom console">
          <img src="/favicon.svg" alt="" width="22" height="22" />
          <span className={styles.brandName}>Greenroom</span>
        </Link>
        <nav className={styles.nav} aria-label="Console" data-testid="nav">
          {LINKS.map((link) => (
            <Link
              key={link.name}
              href={link.href}
              className={styles.link}
              aria-current={link.name === name ? 'page' : undefined}
              data-testid={`nav-${link.name}`}
            >
              {link.label}
            </Link>
          ))}
          <QueuesLink className={styles.link ?? ''} />
        </nav>
        <StreamState />
        <Button
          kind="bare"
          size="small"
          onClick={() => signOut('You have signed out.')}
          data-testid="sign-out"
          className={styles.signOut ?? ''}
        >
          Sign out
        </Button>
      </header>
      <StreamBanner />
      <main id="screen" className={styles.main} tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}
