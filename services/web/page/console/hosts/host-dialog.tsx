import type { HostView } from '@greenroom/contracts';
import { Button } from '../../shared/ui/button.jsx';
import { Dialog, DialogButtons } from '../../shared/ui/dialog.jsx';
import { askAsAdmin } from '../door/admin-token.js';
import { refreshHosts } from '../live/follow.js';
import { useFollowing } from '../live/live.jsx';
import { countOf } from '../parts/format.js';
import { Problem } from '../parts/problem.jsx';
import { useAction } from '../parts/use-action.js';
import styles from './card.module.css';

export type HostDeed = 'drain' | 'undrain' | 'lost';

/** Says what will come of it, and does it once that is confirmed. */
export function HostDialog({ host, deed, onClose }: { host: HostView; deed: HostDeed; onClose: () => void }) {
  const { title, sentence, button, isDanger, method, path } = describe(host, deed);
  const { store } = useFollowing();
  const { run, isRunning, problem } = useAction();
  const doIt = async (): Promise<void> => {
    if (!(await run(() => askAsAdmin(path, { method })))) return;
    refreshHosts(store).catch(() => undefined);
    onClose();
  };
  return (
    <Dialog title={title} onClose={onClose} testId="host-dialog">
      <p className={styles.quiet}>{sentence}</p>
      <Problem testId="host-problem">{problem}</Problem>
      <DialogButtons>
        <Button onClick={onClose}>Cancel</Button>
        <Button
          kind={isDanger ? 'danger' : 'primary'}
          disabled={isRunning}
          onClick={() => void doIt()}
          data-testid="host-confirm"
        >
          {button}
        </Button>
      </DialogButtons>
    </Dialog>
  );
}

interface Described {
  readonly title: string;
  readonly sentence: string;
  readonly button: string;
  readonly isDanger: boolean;
  readonly method: 'POST' | 'DELETE';
  readonly path: string;
}

function describe({ host, calls, warm }: HostView, deed: HostDeed): Described {
  const path = `/api/hosts/${encodeURIComponent(host)}`;
  switch (deed) {
    case 'drain':
      return {
        title: `Drain ${host}?`,
        sentence:
          `It takes no more work, and its ${countOf(warm, 'warm agent')} will end. ` +
          (calls === 1
            ? 'Its 1 call goes on until it ends or DRAIN_TIMEOUT is over; then it moves to another host.'
            : `Its ${countOf(calls, 'call')} go on until they end or DRAIN_TIMEOUT is over; those left then move to another host.`),
        button: 'Drain',
        isDanger: true,
        method: 'POST',
        path: `${path}/drain`,
      };
    case 'undrain':
      return {
        title: `Let ${host} take work again?`,
        sentence: 'It gets calls and warm agents again from now on.',
        button: 'Take work again',
        isDanger: false,
        method: 'DELETE',
        path: `${path}/drain`,
      };
    case 'lost':
      return {
        title: `Give ${host} up?`,
        sentence:
          `Only when it will not come back as it was: its ${countOf(calls, 'call gets', 'calls get')} another agent on another host now, ` +
          'and its warm agents are dropped. If it returns, it ends what it still has of them.',
        button: 'Give it up',
        isDanger: true,
        method: 'POST',
        path: `${path}/lost`,
      };
  }
}
