import type { PoolView } from '@greenroom/contracts';
import { useState } from 'react';
import { Button } from '../../shared/ui/button.jsx';
import { BreakerNote } from '../parts/breaker-note.jsx';
import { formatPercent } from '../parts/format.js';
import { PoolBar } from '../parts/pool-facts.jsx';
import styles from './card.module.css';
import { PolicyDialog } from './policy-dialog.jsx';
import { describePolicy } from './policy-form.js';
import { ResizeDialog } from './resize-dialog.jsx';

/** The warm agents of one profile. */
export function PoolCard({ pool }: { pool: PoolView }) {
  const { profile, ready, warming, target, starts, warmStarts, policy, why, breaker } = pool;
  const [open, setOpen] = useState<'resize' | 'policy'>();
  const close = (): void => setOpen(undefined);
  return (
    <article className={styles.card} aria-label={`Pool of ${profile}`} data-testid={`pool-${profile}`}>
      <div className={styles.head}>
        <h3 className={styles.name}>{profile}</h3>
        <span className={styles.quiet}>{describePolicy(policy)}</span>
      </div>
      <dl className={styles.facts}>
        <Fact name="Ready" testId="pool-ready">
          {ready}
        </Fact>
        <Fact name="Warming" testId="pool-warming">
          {warming}
        </Fact>
        <Fact name="Target" testId="pool-target">
          {target}
        </Fact>
        <Fact name="Hit rate" testId="pool-hit-rate">
          {starts === 0 ? '–' : formatPercent((warmStarts / starts) * 100)}
        </Fact>
      </dl>
      <PoolBar pool={pool} />
      <p className={styles.quiet}>{why}</p>
      {breaker && <BreakerNote breaker={breaker} />}
      <div className={styles.buttons}>
        <Button size="small" onClick={() => setOpen('resize')} data-testid={`resize-${profile}`}>
          Resize…
        </Button>
        <Button size="small" onClick={() => setOpen('policy')} data-testid={`policy-${profile}`}>
          Change policy…
        </Button>
      </div>
      {open === 'resize' && <ResizeDialog pool={pool} onClose={close} />}
      {open === 'policy' && <PolicyDialog pool={pool} onClose={close} />}
    </article>
  );
}

function Fact({ name, testId, children }: { name: string; testId: string; children: string | number }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd data-testid={testId}>{children}</dd>
    </div>
  );
}
