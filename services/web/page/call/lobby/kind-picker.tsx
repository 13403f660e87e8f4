import type { ProfileView } from '@greenroom/contracts';
import { Button } from '../../shared/ui/button.jsx';
import type { Problem } from '../words/problems.js';
import styles from './lobby.module.css';

export interface KindPickerProps {
  readonly profiles: readonly ProfileView[] | undefined;
  readonly chosen: string | undefined;
  readonly problem: Problem | undefined;
  /** The service tells nobody without a key. */
  readonly needsKey: boolean;
  readonly onChoose: (name: string) => void;
  readonly onReload: () => void;
}

/** Which kind of agent, one card each. */
export function KindPicker({ profiles, chosen, problem, needsKey, onChoose, onReload }: KindPickerProps) {
  return (
    <fieldset className={styles['kinds']} data-testid="kinds">
      <legend>Kind of agent</legend>
      {needsKey && !profiles && <p className={styles['unlisted']}>They are shown to whoever has a key.</p>}
      {problem && !needsKey && !profiles && (
        <div className={styles['unlisted']} role="alert" data-testid="profiles-problem">
          <span>{problem.title}.</span>
          <Button size="small" onClick={onReload}>
            Try again
          </Button>
        </div>
      )}
      {profiles?.length === 0 && <p className={styles['unlisted']}>No agent is deployed here yet.</p>}
      {profiles?.map(({ name, description }) => (
        <label key={name} className={styles['kind']}>
          <input
            type="radio"
            name="kind"
            value={name}
            checked={name === chosen}
            onChange={() => onChoose(name)}
          />
          <span>
            <strong>{titleOf(name)}</strong>
            <small>{description ?? 'A voice agent'}</small>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

/** `front-desk` is read `Front desk`. */
export function titleOf(name: string): string {
  const words = name.replace(/[-_]+/g, ' ');
  return words === 'default' ? 'House agent' : words.charAt(0).toUpperCase() + words.slice(1);
}
