import { useState } from 'react';
import { askAsAdmin, keepTokenFrom } from '../door/admin-token.js';
import styles from './frame.module.css';

/** The queue page is a page of its own, which cannot send the token: the door gives it a cookie for a quarter of an hour. */
export function QueuesLink({ className }: { className: string }) {
  const [problem, setProblem] = useState<string>();
  const open = async (): Promise<void> => {
    // Opened by the click itself: a browser blocks a window that comes later.
    const tab = window.open('', '_blank');
    try {
      if (tab) keepTokenFrom(tab);
      const { path } = await askAsAdmin<{ path: string }>('/api/admin/door', { method: 'POST' });
      if (tab) {
        tab.opener = null;
        tab.location.replace(path);
      }
      setProblem(undefined);
    } catch (error) {
      tab?.close();
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <>
      <button type="button" className={className} onClick={() => void open()} data-testid="nav-queues">
        Queues
        <span aria-hidden="true"> ↗</span>
        <span className="visually-hidden"> (opens in a new tab)</span>
      </button>
      <span role="alert" className={problem === undefined ? 'visually-hidden' : styles.navProblem}>
        {problem}
      </span>
    </>
  );
}
