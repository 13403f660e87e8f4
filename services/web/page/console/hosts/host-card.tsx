import type { HostView } from '@greenroom/contracts';
import { useState } from 'react';
import { Button } from '../../shared/ui/button.jsx';
import { Age } from '../parts/age.jsx';
import { countOf, formatBytes, formatPercent } from '../parts/format.js';
import { HostBar } from '../parts/host-facts.jsx';
import { HostStatus, Status } from '../parts/status.jsx';
import { Link } from '../router/link.jsx';
import { PATHS } from '../router/location.js';
import styles from './card.module.css';
import { type HostDeed, HostDialog } from './host-dialog.jsx';

/** One machine: how full it is, and whether it takes work. */
export function HostCard({ host }: { host: HostView }) {
  const {
    host: id,
    state,
    calls,
    warm,
    running,
    capacity,
    memory,
    load,
    version,
    startedAt,
    lastSeenAt,
  } = host;
  const [deed, setDeed] = useState<HostDeed>();
  const isSilent = state === 'unreachable' || state === 'lost';
  return (
    <article className={styles.card} aria-label={`Host ${id}`} data-testid={`host-${id}`} data-state={state}>
      <div className={styles.head}>
        <h3 className={styles.name}>{id}</h3>
        <HostStatus state={state} />
      </div>
      <dl className={styles.facts}>
        <Fact name="Running" value={`${running}`} of={`of ${capacity}`} testId="host-running" />
        <Fact name="Calls" value={`${calls}`} testId="host-calls" />
        <Fact name="Warm" value={`${warm}`} testId="host-warm" />
        <Fact
          name="CPU"
          value={typeof load?.cpuPercent === 'number' ? formatPercent(load.cpuPercent) : '–'}
          testId="host-cpu"
        />
      </dl>
      <HostBar host={host} />
      {memory.isShort && (
        <Status icon="alert" tone="bad">
          memory is short: nothing new starts here
        </Status>
      )}
      <p className={styles.quiet}>
        {load && `${countOf(load.cores, 'core')} · `}
        {memory.freeBytes !== null && `${formatBytes(memory.freeBytes)} free · `}
        {version !== null && `version ${version} · `}
        {isSilent && lastSeenAt !== null && (
          <>
            silent for <Age since={lastSeenAt} />
          </>
        )}
        {!isSilent && startedAt !== null && (
          <>
            up for <Age since={startedAt} />
          </>
        )}
      </p>
      {host.drain && (
        <p className={styles.quiet} data-testid="drain-note">
          Takes no more work; {countOf(host.drain.callsLeft, 'call')} left.
        </p>
      )}
      <div className={styles.buttons}>
        {state === 'draining' ? (
          <Button size="small" onClick={() => setDeed('undrain')} data-testid={`undrain-${id}`}>
            Take work again…
          </Button>
        ) : (
          <Button size="small" onClick={() => setDeed('drain')} data-testid={`drain-${id}`}>
            Drain…
          </Button>
        )}
        {state === 'unreachable' && (
          <Button size="small" onClick={() => setDeed('lost')} data-testid={`lost-${id}`}>
            Give it up…
          </Button>
        )}
        <Link className={styles.quiet} href={`${PATHS.now}?host=${encodeURIComponent(id)}`}>
          its sessions
        </Link>
      </div>
      {deed && <HostDialog host={host} deed={deed} onClose={() => setDeed(undefined)} />}
    </article>
  );
}

function Fact({ name, value, of, testId }: { name: string; value: string; of?: string; testId: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd data-testid={testId}>
        {value} {of !== undefined && <small>{of}</small>}
      </dd>
    </div>
  );
}
