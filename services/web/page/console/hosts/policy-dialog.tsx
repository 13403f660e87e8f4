import type { PoolPolicyKind, PoolView } from '@greenroom/contracts';
import { type FormEvent, useState } from 'react';
import { Button } from '../../shared/ui/button.jsx';
import { Dialog, DialogButtons } from '../../shared/ui/dialog.jsx';
import { Field } from '../../shared/ui/field.jsx';
import { askAsAdmin } from '../door/admin-token.js';
import { refreshPools } from '../live/follow.js';
import { useFollowing } from '../live/live.jsx';
import { Problem } from '../parts/problem.jsx';
import { useAction } from '../parts/use-action.js';
import { effectOf, formOf, KINDS, type PolicyForm, policyOf } from './policy-form.js';
import styles from './policy-dialog.module.css';
import { ScheduleFields } from './schedule-fields.jsx';

/** How many warm agents there should be, as a rule. */
export function PolicyDialog({ pool, onClose }: { pool: PoolView; onClose: () => void }) {
  const [form, setForm] = useState(() => formOf(pool.policy, pool.target));
  const { store } = useFollowing();
  const { run, isRunning, problem } = useAction();
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const body = { policy: policyOf(form), profile: pool.profile };
    const isDone = await run(() => askAsAdmin('/api/pool/policy', { method: 'PUT', body }));
    if (!isDone) return;
    refreshPools(store).catch(() => undefined);
    onClose();
  };
  const change = (part: Partial<PolicyForm>): void => setForm({ ...form, ...part });
  return (
    <Dialog title={`Policy of the pool of ${pool.profile}`} onClose={onClose} testId="policy-dialog">
      <form onSubmit={(event) => void save(event)}>
        <Field label="Kind">
          {(control) => (
            <select
              {...control}
              value={form.kind}
              onChange={(event) => change({ kind: event.target.value as PoolPolicyKind })}
              data-testid="policy-kind"
            >
              {Object.entries(KINDS).map(([kind, label]) => (
                <option key={kind} value={kind}>
                  {label}
                </option>
              ))}
            </select>
          )}
        </Field>
        <PolicyFields form={form} change={change} />
        <p className={styles.effect} role="status" data-testid="policy-effect">
          {effectOf(form)}
        </p>
        <Problem testId="policy-problem">{problem}</Problem>
        <DialogButtons>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={isRunning} data-testid="policy-confirm">
            Set the policy
          </Button>
        </DialogButtons>
      </form>
    </Dialog>
  );
}

interface FieldsProps {
  readonly form: PolicyForm;
  readonly change: (part: Partial<PolicyForm>) => void;
}

function PolicyFields({ form, change }: FieldsProps) {
  const bounds = (
    <div className={styles.pair}>
      <Text label="At least" name="min" form={form} change={change} />
      <Text label="At most" name="max" form={form} change={change} />
    </div>
  );
  switch (form.kind) {
    case 'fixed':
      return <Text label="Warm agents" name="size" form={form} change={change} />;
    case 'buffer':
      return (
        <>
          <Text
            label="Room for"
            help="So many more callers, or a share of those who are there: 20%."
            name="size"
            form={form}
            change={change}
          />
          {bounds}
        </>
      );
    case 'rate':
      return (
        <>
          <div className={styles.pair}>
            <Text label="Safety" help="In standard deviations." name="safety" form={form} change={change} />
            <Text label="Window" help="In seconds." name="windowSeconds" form={form} change={change} />
          </div>
          {bounds}
        </>
      );
    case 'schedule':
      return (
        <>
          <div className={styles.pair}>
            <Text label="Time zone" name="timeZone" form={form} change={change} />
            <Text label="Else" help="While no entry is in force." name="base" form={form} change={change} />
          </div>
          <ScheduleFields entries={form.entries} onChange={(entries) => change({ entries })} />
        </>
      );
  }
}

function Text(
  props: FieldsProps & { label: string; help?: string; name: Exclude<keyof PolicyForm, 'kind' | 'entries'> },
) {
  const { label, help, name, form, change } = props;
  return (
    <Field label={label} {...(help !== undefined && { help })}>
      {(control) => (
        <input
          {...control}
          inputMode={name === 'timeZone' ? 'text' : 'decimal'}
          required
          value={form[name]}
          onChange={(event) => change({ [name]: event.target.value })}
          data-testid={`policy-${name}`}
        />
      )}
    </Field>
  );
}
