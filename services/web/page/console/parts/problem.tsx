import styles from './parts.module.css';

/** Why something did not work; it is read out when it comes. */
export function Problem({ children, testId }: { children: string | undefined; testId?: string }) {
  return (
    <p
      role="alert"
      className={children === undefined ? 'visually-hidden' : styles.problem}
      data-testid={testId}
    >
      {children}
    </p>
  );
}
