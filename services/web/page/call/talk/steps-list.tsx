import { Button } from '../../shared/ui/button.jsx';
import { CrossIcon, TickIcon } from '../icons.jsx';
import type { Call } from '../state/call-state.js';
import { type Step, stepsOf } from '../state/steps.js';
import { useNow } from '../use-now.js';
import { formatSeconds, formatWait } from '../words/times.js';
import styles from './steps-list.module.css';

export interface StepsListProps {
  readonly call: Call;
  readonly onRetry: () => void;
  readonly onBack: () => void;
}

/** What happens until both can talk, with its seconds; and where it went wrong, why, and what to do. */
export function StepsList({ call, onRetry, onBack }: StepsListProps) {
  const now = useNow(100);
  return (
    <div className={styles['steps']} data-testid="steps">
      <ol>
        {stepsToShow(call, now).map(({ id, label, state, ms }) => (
          <li key={id} data-testid={`step-${id}`} data-state={state} className={styles[state]}>
            <span className={styles['mark']}>
              {state === 'done' && <TickIcon size={14} />}
              {state === 'failed' && <CrossIcon size={14} />}
            </span>
            <span>{label}</span>
            <span className={styles['ms']}>{ms !== undefined && formatSeconds(ms)}</span>
            {id === 'line' && state === 'now' && <LineWords call={call} now={now} />}
          </li>
        ))}
      </ol>
      <Failure call={call} now={now} onRetry={onRetry} onBack={onBack} />
    </div>
  );
}

/** What will not come any more makes room for why. */
function stepsToShow(call: Call, now: number): Step[] {
  return stepsOf(call, now).filter(({ state }) => !call.problem || state !== 'todo');
}

function LineWords({ call, now }: { readonly call: Call; readonly now: number }) {
  const { line } = call;
  if (!line) return null;
  if (line.blockedBy)
    return (
      <small data-testid="line-blocked">
        {line.blockedBy === 'no_host'
          ? 'No machine for this kind of agent is there right now. You keep your place.'
          : 'Agents of this kind do not start right now. You keep your place.'}
      </small>
    );
  const left = line.estimatedWaitMs === undefined ? undefined : line.estimatedWaitMs - (now - line.saidAt);
  return (
    <small>
      {left === undefined
        ? 'All agents are in calls.'
        : `All agents are in calls. Your turn is in ${formatWait(left)}.`}
    </small>
  );
}

function Failure({ call, now, onRetry, onBack }: StepsListProps & { readonly now: number }) {
  const { problem } = call;
  if (!problem) return null;
  const waitMs = Math.max(0, (problem.retryAt ?? 0) - now);
  return (
    <div className={styles['failure']} data-testid="problem" data-code={problem.code}>
      {/* Without the button, whose words change each second. */}
      <div role="alert">
        <strong>{problem.title}</strong>
        <p>{problem.text}</p>
      </div>
      <div className={styles['ways']}>
        <Button kind="primary" data-testid="retry" disabled={waitMs > 0} onClick={onRetry}>
          {waitMs > 0 ? `Try again in ${Math.ceil(waitMs / 1_000)} s` : 'Try again'}
        </Button>
        <Button onClick={onBack} data-testid="back">
          Back
        </Button>
      </div>
    </div>
  );
}
