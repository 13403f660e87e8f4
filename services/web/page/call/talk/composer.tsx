import { type FormEvent, useState } from 'react';
import { SendIcon } from '../icons.jsx';
import styles from './composer.module.css';

export interface ComposerProps {
  readonly isDisabled: boolean;
  /** Not connected right now: what is being typed stays, and so does the focus. */
  readonly isPaused: boolean;
  readonly onSay: (text: string) => void;
}

/** The second way to speak: what is typed reaches the agent as if it was said. */
export function Composer({ isDisabled, isPaused, onSay }: ComposerProps) {
  const [text, setText] = useState('');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const said = text.trim();
    if (said === '' || isDisabled || isPaused) return;
    onSay(said);
    setText('');
  };
  return (
    <form className={styles['composer']} onSubmit={submit}>
      <input
        data-testid="say"
        aria-label="Type instead of speaking"
        placeholder="Type instead of speaking"
        value={text}
        maxLength={2_000}
        autoComplete="off"
        enterKeyHint="send"
        disabled={isDisabled}
        readOnly={isPaused}
        onChange={({ target }) => setText(target.value)}
      />
      <button
        type="submit"
        data-testid="send"
        disabled={isDisabled || text.trim() === ''}
        aria-disabled={isPaused}
      >
        <SendIcon />
        <span className="visually-hidden">Send</span>
      </button>
    </form>
  );
}
