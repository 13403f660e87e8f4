import { type FormEvent, useId, useRef, useState } from 'react';
import { ApiProblem, ask } from '../../shared/ask.js';
import { Button } from '../../shared/ui/button.jsx';
import { isRefused, readFarewell, signIn } from './admin-token.js';
import styles from './door.module.css';

/** What a header can carry; the api knows no token of anything else. */
const POSSIBLE_TOKEN = /^[\x21-\x7e]+$/;
const WRONG = 'This is not the admin token. It stands in ADMIN_TOKEN of the api.';

/** Asks for the admin token, and lets nobody in whom the api does not know. */
export function Door() {
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState(readFarewell());
  const [isAsking, setIsAsking] = useState(false);

  const enter = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const token = field.current?.value.trim() ?? '';
    setIsAsking(true);
    const refusal = await refusalOf(token);
    if (refusal === undefined) return signIn(token);
    setIsAsking(false);
    setProblem(refusal);
    field.current?.select();
  };

  return (
    <main className={styles.door}>
      <form className={styles.card} onSubmit={(event) => void enter(event)} aria-busy={isAsking}>
        <h1 className={styles.title}>
          <img src="/favicon.svg" alt="" width="28" height="28" />
          Greenroom console
        </h1>
        <div>
          <label htmlFor={id} className={styles.label}>
            Admin token
          </label>
          <input
            ref={field}
            id={id}
            className={styles.field}
            data-testid="token"
            type="password"
            autoComplete="current-password"
            spellCheck={false}
            required
            aria-invalid={problem !== undefined}
            aria-describedby={`${id}-note ${id}-problem`}
          />
        </div>
        <p id={`${id}-problem`} className={styles.problem} role="alert" data-testid="door-problem">
          {problem}
        </p>
        <Button kind="primary" type="submit" disabled={isAsking} data-testid="enter">
          {isAsking ? 'Checking…' : 'Open the console'}
        </Button>
        <p id={`${id}-note`} className={styles.note}>
          It is kept in this tab until you sign out or close it, and goes nowhere but to this server.
        </p>
      </form>
    </main>
  );
}

/** undefined: it is the right one. */
async function refusalOf(token: string): Promise<string | undefined> {
  if (!POSSIBLE_TOKEN.test(token)) return WRONG;
  try {
    await ask('/api/sessions?limit=1', { key: token });
    return undefined;
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    // Whether there is an admin token at all, the api says itself.
    return isRefused(error) && !error.message.includes('no ADMIN_TOKEN') ? WRONG : error.message;
  }
}
