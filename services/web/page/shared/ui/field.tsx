import { type ReactNode, useId } from 'react';
import styles from './field.module.css';

/** A label, what it labels, and what helps to fill it in. */
export function Field({
  label,
  help,
  children,
}: {
  readonly label: string;
  readonly help?: string;
  readonly children: (ids: { id: string; 'aria-describedby'?: string; className: string }) => ReactNode;
}) {
  const id = useId();
  const describedBy = help === undefined ? {} : { 'aria-describedby': `${id}-help` };
  return (
    <div className={styles.field}>
      <label htmlFor={id} className={styles.label}>
        {label}
      </label>
      {children({ id, ...describedBy, className: styles.control ?? '' })}
      {help !== undefined && (
        <p id={`${id}-help`} className={styles.help}>
          {help}
        </p>
      )}
    </div>
  );
}
