import type { EndSessionsRequest, EndSessionsResponse } from '@greenroom/contracts';
import { useEffect, useState } from 'react';
import { Button } from '../../shared/ui/button.jsx';
import { Dialog, DialogButtons } from '../../shared/ui/dialog.jsx';
import { Field } from '../../shared/ui/field.jsx';
import { askAsAdmin } from '../door/admin-token.js';
import { countOf } from '../parts/format.js';
import { Problem } from '../parts/problem.jsx';
import { useAction } from '../parts/use-action.js';
import { AGES, apiFilterOf, type Filters } from './filters.js';
import styles from './end-matching.module.css';

/** Ends all that match, once the operator has seen how many the api says that they are. */
export function EndMatching({ filters, onClose }: { filters: Filters; onClose: () => void }) {
  // As they were when it was opened: what is read is what is confirmed and done, wherever the address goes meanwhile.
  const [opened] = useState(filters);
  const [filter] = useState(() => apiFilterOf(filters));
  const [matched, setMatched] = useState<number>();
  const [asked, setAsked] = useState<number>();
  const [reason, setReason] = useState('');
  const [immediately, setImmediately] = useState(false);
  const { run, isRunning, problem } = useAction();

  useEffect(() => {
    void run(async () => setMatched((await endSessions({ filter: filter ?? {}, dryRun: true })).matched));
    // oxlint-disable-next-line eslint-plugin-react-hooks/exhaustive-deps -- once, when it is opened
  }, [filter]);

  const end = (): Promise<boolean> =>
    run(async () => {
      const request = {
        filter: filter ?? {},
        ...(reason.trim() !== '' && { reason: reason.trim() }),
        ...(immediately && { immediately }),
      };
      setAsked((await endSessions(request)).asked);
    });

  if (asked !== undefined) return <Done asked={asked} onClose={onClose} />;
  return (
    <Dialog title="End all that match" onClose={onClose} testId="end-dialog">
      <dl className={styles.filter}>
        {wordsOf(opened).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p className={styles.count} role="status" data-testid="end-count">
        {matched === undefined
          ? problem === undefined
            ? 'Counting…'
            : ''
          : `${countOf(matched, 'session matches', 'sessions match')} right now.`}
      </p>
      <p className={styles.note}>Callers among them are told that an operator has ended the call.</p>
      <Field label="Reason" help="Kept with each session; the caller does not see it.">
        {(control) => (
          <input
            {...control}
            value={reason}
            maxLength={500}
            onChange={(event) => setReason(event.target.value)}
            data-testid="end-reason"
          />
        )}
      </Field>
      <label className={styles.check}>
        <input
          type="checkbox"
          checked={immediately}
          onChange={(event) => setImmediately(event.target.checked)}
          data-testid="end-immediately"
        />
        At once: agents get no time to leave
      </label>
      <Problem testId="end-problem">{problem}</Problem>
      <DialogButtons>
        <Button onClick={onClose} data-testid="end-cancel">
          Keep them
        </Button>
        <Button
          kind="danger"
          disabled={isRunning || matched === undefined || matched === 0}
          onClick={() => void end()}
          data-testid="end-confirm"
        >
          End {matched === undefined ? '…' : countOf(matched, 'session')}
        </Button>
      </DialogButtons>
    </Dialog>
  );
}

function Done({ asked, onClose }: { asked: number; onClose: () => void }) {
  return (
    <Dialog title={`${countOf(asked, 'session')} asked to end`} onClose={onClose} testId="end-done">
      <p className={styles.note}>They leave the table as their processes and rooms are gone.</p>
      <DialogButtons>
        <Button kind="primary" onClick={onClose} data-testid="end-close">
          Close
        </Button>
      </DialogButtons>
    </Dialog>
  );
}

function endSessions(body: EndSessionsRequest): Promise<EndSessionsResponse> {
  return askAsAdmin('/api/sessions/end', { method: 'POST', body });
}

function wordsOf({ state, profile, host, older, q }: Filters): [string, string][] {
  const words: [string, string][] = [
    ['State', state],
    ['Profile', profile],
    ['Host', host],
    ['Age', AGES[older]?.label ?? ''],
    ['Search', q.trim()],
  ];
  return words.filter(([, value]) => value !== '');
}
