import type { AdminSessionView, ListenIn as ListenInMode } from '@greenroom/contracts';
import { lazy, Suspense, useState } from 'react';
import { Button } from '../../shared/ui/button.jsx';
import { Dialog, DialogButtons } from '../../shared/ui/dialog.jsx';
import { askAsAdmin } from '../door/admin-token.js';
import { Problem } from '../parts/problem.jsx';
import { useAction } from '../parts/use-action.js';
import styles from './actions.module.css';

// It brings LiveKit's client along, which nobody else here needs.
const ListenIn = lazy(async () => ({ default: (await import('./listen-in.jsx')).ListenIn }));

interface Deed {
  readonly title: string;
  readonly does: string;
  readonly confirm: string;
  readonly isGrave: boolean;
  readonly run: (sessionId: string) => Promise<unknown>;
}

const DEEDS = {
  restart: {
    title: 'Restart the agent',
    does: 'The agent leaves and another one comes into the same room. The caller stays, and hears nothing until it is ready. The new agent knows nothing of what was said.',
    confirm: 'Restart the agent',
    isGrave: false,
    run: (sessionId) =>
      askAsAdmin(`/api/session/${encodeURIComponent(sessionId)}/restart`, { method: 'POST' }),
  },
  end: {
    title: 'End the session',
    does: 'The agent is asked to leave, and the room is closed. The caller is told that the call was ended.',
    confirm: 'End it',
    isGrave: true,
    run: (sessionId) => end(sessionId, false),
  },
  endNow: {
    title: 'End the session at once',
    does: 'The agent is killed without being asked, with all that it has started, and the room is closed. For an agent that does not listen any more.',
    confirm: 'End it at once',
    isGrave: true,
    run: (sessionId) => end(sessionId, true),
  },
} as const satisfies Record<string, Deed>;

function end(sessionId: string, immediately: boolean): Promise<unknown> {
  const body = { sessionId, reason: 'an operator ended it', ...(immediately && { immediately }) };
  return askAsAdmin('/api/session/end', { method: 'POST', body });
}

/** What an operator can do to a live session; each is asked about once more. */
export function Actions({ view, listenIn }: { view: AdminSessionView; listenIn: ListenInMode }) {
  const [deed, setDeed] = useState<keyof typeof DEEDS>();
  const [isListening, setIsListening] = useState(false);
  const isEnding = view.status === 'ending';
  return (
    <div className={styles.actions}>
      {listenIn === 'announced' && (
        <Button
          size="small"
          disabled={isListening || view.status !== 'ready'}
          onClick={() => setIsListening(true)}
          data-testid="listen"
        >
          Listen in…
        </Button>
      )}
      <Button
        size="small"
        disabled={view.status !== 'ready'}
        onClick={() => setDeed('restart')}
        data-testid="restart"
      >
        Restart agent…
      </Button>
      <Button size="small" disabled={isEnding} onClick={() => setDeed('end')} data-testid="end">
        End…
      </Button>
      <Button size="small" kind="danger" onClick={() => setDeed('endNow')} data-testid="end-now">
        End at once…
      </Button>
      {deed !== undefined && (
        <Confirm deed={DEEDS[deed]} sessionId={view.sessionId} onClose={() => setDeed(undefined)} />
      )}
      {isListening && (
        <Suspense fallback={null}>
          <ListenIn sessionId={view.sessionId} onStopped={() => setIsListening(false)} />
        </Suspense>
      )}
    </div>
  );
}

function Confirm({ deed, sessionId, onClose }: { deed: Deed; sessionId: string; onClose: () => void }) {
  const { run, isRunning, problem } = useAction();
  const confirm = async (): Promise<void> => {
    if (await run(() => deed.run(sessionId))) onClose();
  };
  return (
    <Dialog title={deed.title} onClose={onClose} testId="confirm">
      <p>{deed.does}</p>
      <Problem testId="confirm-problem">{problem}</Problem>
      <DialogButtons>
        <Button onClick={onClose}>Cancel</Button>
        <Button
          kind={deed.isGrave ? 'danger' : 'primary'}
          disabled={isRunning}
          onClick={() => void confirm()}
          data-testid="confirm-yes"
        >
          {deed.confirm}
        </Button>
      </DialogButtons>
    </Dialog>
  );
}
