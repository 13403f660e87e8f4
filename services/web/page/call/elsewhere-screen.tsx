import { Button } from '../shared/ui/button.jsx';
import styles from './over/over-screen.module.css';

export interface ElsewhereScreenProps {
  readonly onHere: () => void;
  readonly onLobby: () => void;
}

/** This tab and another one have the same call, and only one of them may be in it. */
export function ElsewhereScreen({ onHere, onLobby }: ElsewhereScreenProps) {
  return (
    <main className={styles['over']} data-testid="elsewhere">
      <section className={styles['why']}>
        <h1 tabIndex={-1}>Your call is open in another tab</h1>
        <p>It goes on there. Two tabs in one call would hear each other.</p>
        <div className={styles['ways']}>
          <Button kind="primary" size="large" data-testid="take-over" onClick={onHere}>
            Continue it here
          </Button>
          <Button size="large" data-testid="to-lobby" onClick={onLobby}>
            Start another call
          </Button>
        </div>
      </section>
    </main>
  );
}
