import { Button } from '../../shared/ui/button.jsx';
import { Field } from '../../shared/ui/field.jsx';
import type { EntryForm } from './policy-form.js';
import styles from './policy-dialog.module.css';

export interface ScheduleFieldsProps {
  readonly entries: readonly EntryForm[];
  readonly onChange: (entries: EntryForm[]) => void;
}

const PARTS = [
  { name: 'cron', label: 'Cron' },
  { name: 'size', label: 'Agents' },
  { name: 'forSeconds', label: 'Seconds' },
] as const;

/** From when on which size holds. An entry without seconds holds until another one fires. */
export function ScheduleFields({ entries, onChange }: ScheduleFieldsProps) {
  const change = (index: number, part: Partial<EntryForm>): void =>
    onChange(entries.map((entry, at) => (at === index ? { ...entry, ...part } : entry)));
  return (
    <fieldset className={styles.entries}>
      <legend>Entries</legend>
      <p>Each holds for its seconds; without them, until another one fires.</p>
      {entries.map((entry, index) => (
        // oxlint-disable-next-line eslint-plugin-react/no-array-index-key -- they have no other name
        <div key={index} className={styles.entry}>
          {PARTS.map(({ name, label }) => (
            <Field key={name} label={label}>
              {(control) => (
                <input
                  {...control}
                  required={name !== 'forSeconds'}
                  value={entry[name]}
                  onChange={(event) => change(index, { [name]: event.target.value })}
                  data-testid={`entry-${index}-${name}`}
                />
              )}
            </Field>
          ))}
          <Button
            kind="bare"
            aria-label={`Remove entry ${index + 1}`}
            onClick={() => onChange(entries.filter((_entry, at) => at !== index))}
          >
            ✕
          </Button>
        </div>
      ))}
      <Button
        size="small"
        onClick={() => onChange([...entries, { cron: '0 18 * * *', size: '0', forSeconds: '' }])}
        data-testid="add-entry"
      >
        Add an entry
      </Button>
    </fieldset>
  );
}
