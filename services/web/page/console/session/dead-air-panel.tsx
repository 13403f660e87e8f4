import type { DeadAirSettings, DeadAirView } from '@greenroom/contracts';
import { type FormEvent, useState } from 'react';
import { Button } from '../../shared/ui/button.jsx';
import { Field } from '../../shared/ui/field.jsx';
import { askAsAdmin } from '../door/admin-token.js';
import { Panel } from '../now/panel.jsx';
import { Problem } from '../parts/problem.jsx';
import { useAction } from '../parts/use-action.js';
import { type FormValues, patchOf, SETTINGS, type SettingName, textOf, valuesOf } from './dead-air-form.js';
import styles from './dead-air-panel.module.css';

/** How silence is treated in this call, what its profile says of it, and a form to change it while the call goes on. */
export function DeadAirPanel({
  sessionId,
  deadAir,
  onChanged,
}: {
  readonly sessionId: string;
  readonly deadAir: DeadAirView;
  readonly onChanged: () => void;
}) {
  const [isOpen, setIsOpen] = useState(false);
  const names = SETTINGS.filter(({ name }) => deadAir.settings[name] !== undefined);
  return (
    <Panel title="Dead air" testId="dead-air">
      {isOpen ? (
        <Form
          sessionId={sessionId}
          deadAir={deadAir}
          onChanged={onChanged}
          onClose={() => setIsOpen(false)}
        />
      ) : (
        <>
          <dl className={styles.settings}>
            {names.map(({ name, label, unit }) => (
              <div key={name} className={styles.setting} data-changed={deadAir.changed.includes(name)}>
                <dt>{label}</dt>
                <dd>
                  {textOf(deadAir.settings[name])} {unit}
                  {deadAir.changed.includes(name) && (
                    <span className={styles.profile}> changed; {profileSays(deadAir.profile, name)}</span>
                  )}
                </dd>
              </div>
            ))}
          </dl>
          <Button size="small" onClick={() => setIsOpen(true)} data-testid="dead-air-change">
            Change for this call
          </Button>
        </>
      )}
    </Panel>
  );
}

function profileSays(profile: DeadAirSettings, name: SettingName): string {
  return profile[name] === undefined
    ? 'the profile leaves it at the default'
    : `the profile says ${textOf(profile[name])}`;
}

function Form({
  sessionId,
  deadAir,
  onChanged,
  onClose,
}: {
  readonly sessionId: string;
  readonly deadAir: DeadAirView;
  readonly onChanged: () => void;
  readonly onClose: () => void;
}) {
  const before = valuesOf(deadAir.settings);
  const [values, setValues] = useState<FormValues>(before);
  const { run, isRunning, problem } = useAction();
  const send = async (body: object): Promise<void> => {
    const path = `/api/session/${encodeURIComponent(sessionId)}/settings`;
    const isDone =
      Object.keys(body).length === 0 || (await run(() => askAsAdmin(path, { method: 'PATCH', body })));
    if (!isDone) return;
    onChanged();
    onClose();
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void send(patchOf(before, values));
  };
  const backToProfile = (): void =>
    void send(Object.fromEntries(deadAir.changed.map((name) => [name, null])));
  return (
    <form onSubmit={submit} className={styles.form} data-testid="dead-air-form">
      {SETTINGS.filter(({ name }) => name in before).map(({ name, label, unit, kind }) => (
        <Field
          key={name}
          label={unit === '' ? label : `${label} (${unit})`}
          help={profileSays(deadAir.profile, name)}
        >
          {(control) => {
            const value = values[name] ?? '';
            const take = (text: string): void => setValues({ ...values, [name]: text });
            if (kind === 'choice') {
              return (
                <select
                  {...control}
                  value={value}
                  onChange={(event) => take(event.target.value)}
                  data-testid={`set-${name}`}
                >
                  <option value="restart">another agent comes</option>
                  <option value="end">apologise and end</option>
                </select>
              );
            }
            return kind === 'text' ? (
              <textarea
                {...control}
                rows={2}
                value={value}
                onChange={(event) => take(event.target.value)}
                data-testid={`set-${name}`}
              />
            ) : (
              <input
                {...control}
                type="number"
                min={0}
                step="any"
                required
                value={value}
                onChange={(event) => take(event.target.value)}
                data-testid={`set-${name}`}
              />
            );
          }}
        </Field>
      ))}
      <Problem testId="dead-air-problem">{problem}</Problem>
      <div className={styles.buttons}>
        <Button size="small" onClick={onClose}>
          Cancel
        </Button>
        {deadAir.changed.length > 0 && (
          <Button size="small" disabled={isRunning} onClick={backToProfile} data-testid="dead-air-reset">
            Back to the profile’s
          </Button>
        )}
        <Button size="small" kind="primary" type="submit" disabled={isRunning} data-testid="dead-air-save">
          Change now
        </Button>
      </div>
    </form>
  );
}
