import { useState } from 'react';
import { Button } from '../../shared/ui/button.jsx';
import { CallIcon, CopyIcon } from '../icons.jsx';
import type { CallRequest, Over } from '../state/call-state.js';
import { toText } from '../state/transcript.js';
import { TranscriptView } from '../talk/transcript-view.jsx';
import { wordsForEnd } from '../words/end-reasons.js';
import { formatSeconds } from '../words/times.js';
import styles from './over-screen.module.css';

export interface OverScreenProps {
  readonly over: Over;
  readonly request: CallRequest;
  readonly onAgain: () => void;
  readonly onLobby: () => void;
}

/** Why it ended, how long it was, and what was said, to take along: it is kept nowhere else. */
export function OverScreen({ over, request, onAgain, onLobby }: OverScreenProps) {
  const { title, text } = wordsForEnd(over.endReason);
  return (
    <main className={styles['over']} data-testid="over" data-reason={over.endReason}>
      <section className={styles['why']}>
        <h1 tabIndex={-1}>{title}</h1>
        <p>{text}</p>
        {over.durationMs !== undefined && (
          <p className={styles['length']}>
            You talked for <span data-testid="length">{formatSeconds(over.durationMs)}</span>.
          </p>
        )}
        <div className={styles['ways']}>
          <Button kind="primary" size="large" data-testid="again" onClick={onAgain}>
            <CallIcon /> Call again
          </Button>
          <Button size="large" data-testid="to-lobby" onClick={onLobby}>
            Change something
          </Button>
        </div>
      </section>
      {over.lines.length > 0 && (
        <section className={styles['said']} aria-label="What was said">
          <div className={styles['list']}>
            <TranscriptView lines={over.lines} />
          </div>
          <CopyButton text={toText(over.lines, request.userName)} />
        </section>
      )}
    </main>
  );
}

function CopyButton({ text }: { readonly text: string }) {
  const [outcome, setOutcome] = useState<'copied' | 'failed'>();
  const copy = (): void => {
    const writing =
      (navigator as Partial<Navigator>).clipboard?.writeText(text) ?? Promise.reject(new Error());
    writing.then(
      () => setOutcome('copied'),
      () => setOutcome('failed'),
    );
  };
  return (
    <div className={styles['copy']}>
      <Button data-testid="copy" onClick={copy}>
        <CopyIcon size={18} /> Copy the transcript
      </Button>
      <span role="status" data-testid="copy-outcome">
        {outcome === 'copied' && 'Copied'}
        {outcome === 'failed' && 'Your browser does not allow that: select the text instead.'}
        {outcome === undefined && 'It goes when you leave this page.'}
      </span>
    </div>
  );
}
