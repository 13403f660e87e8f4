import { type FormEvent, type ReactNode, useId, useState } from 'react';
import { Button } from '../../shared/ui/button.jsx';
import { keptKey } from '../engine/kept.js';
import { CallIcon } from '../icons.jsx';
import type { CallRequest } from '../state/call-state.js';
import type { Problem } from '../words/problems.js';
import { KindPicker } from './kind-picker.jsx';
import styles from './lobby.module.css';
import { useProfiles } from './use-profiles.js';

export interface LobbyProps {
  /** What was chosen last. */
  readonly request: CallRequest;
  /** Why a start was refused. */
  readonly problem: Problem | undefined;
  /** Somebody turns to the form, by whatever means. */
  readonly onInterest: () => void;
  readonly onStart: (request: CallRequest) => void;
}

/** Name, voice, kind of agent, one button. Nothing is started before somebody presses it. */
export function Lobby({ request: last, problem: refused, onInterest, onStart }: LobbyProps) {
  const ids = { name: useId(), voice: useId() };
  const { profiles, problem: unlisted, isKeyRefused, reload } = useProfiles();
  const [request, setRequest] = useState(last);
  const change = (more: Partial<CallRequest>): void => setRequest((before) => ({ ...before, ...more }));
  const chosen = profiles?.find(({ name }) => name === request.profile) ?? profiles?.[0];
  const voices = chosen?.voices ?? [];
  const voiceId = voices.some(({ id }) => id === request.voiceId) ? request.voiceId : '';
  const needsKey = [refused, unlisted].some((problem) => problem?.code === 'unauthorized');
  if (!profiles && !unlisted && !refused) return <Welcome />;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onStart({ userName: request.userName.trim(), profile: chosen?.name ?? '', voiceId });
  };
  return (
    <Welcome>
      <form
        className={styles['form']}
        onSubmit={submit}
        onFocus={onInterest}
        onPointerEnter={onInterest}
        data-testid="lobby"
      >
        <label htmlFor={ids.name}>
          Your name <small>optional</small>
        </label>
        <input
          id={ids.name}
          data-testid="name"
          value={request.userName}
          maxLength={100}
          autoComplete="given-name"
          placeholder="Ada"
          onChange={({ target }) => change({ userName: target.value })}
        />
        <KindPicker
          profiles={profiles}
          chosen={chosen?.name}
          problem={unlisted}
          needsKey={needsKey}
          onChoose={(profile) => change({ profile })}
          onReload={reload}
        />
        <label htmlFor={ids.voice}>Voice</label>
        <select
          id={ids.voice}
          data-testid="voice"
          value={voiceId}
          disabled={voices.length === 0}
          onChange={({ target }) => change({ voiceId: target.value })}
        >
          <option value="">As the agent likes</option>
          {voices.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
        {needsKey && <KeyField isRefused={isKeyRefused} onEnter={reload} />}
        <Button
          type="submit"
          kind="primary"
          size="large"
          className={styles['start'] ?? ''}
          data-testid="start"
        >
          <CallIcon /> Start talking
        </Button>
        <p className={styles['hint']}>Your browser will ask for the microphone when the call begins.</p>
      </form>
    </Welcome>
  );
}

/** The form comes in one piece when the service has said which agents there are: nothing in it moves any more. */
function Welcome({ children }: { readonly children?: ReactNode }) {
  return (
    <main className={styles['lobby']}>
      <div className={styles['welcome']}>
        <h1>
          Your agent waits
          <br /> in the green room
        </h1>
        <p>Say who you are, press one button, and talk. It answers by voice; you can type, too.</p>
        <div className={styles['bars']} aria-hidden="true">
          {BARS.map((height, index) => (
            <span key={index} style={{ height: `${height}%`, animationDelay: `${index * -190}ms` }} />
          ))}
        </div>
      </div>
      {children ?? <div className={styles['form']} role="status" aria-label="Asking which agents are here" />}
    </main>
  );
}

const BARS = [30, 52, 38, 74, 96, 66, 84, 44, 60, 34, 24];

/** A deployment may serve only those who have a key. */
function KeyField({ isRefused, onEnter }: { readonly isRefused: boolean; readonly onEnter: () => void }) {
  const id = useId();
  return (
    <div className={styles['key']}>
      <label htmlFor={id}>Access key</label>
      <input
        id={id}
        data-testid="key"
        type="password"
        autoComplete="off"
        aria-describedby={`${id}-why`}
        aria-invalid={isRefused}
        defaultValue={keptKey.read() ?? ''}
        onBlur={onEnter}
        onChange={({ target }) => keptKey.write(target.value.trim())}
      />
      {isRefused && (
        <p role="alert" className={styles['refused']} data-testid="key-refused">
          This key is not accepted.
        </p>
      )}
      <small id={`${id}-why`}>
        This service wants a key. Its operator has one for you; it stays in this tab.
      </small>
    </div>
  );
}
