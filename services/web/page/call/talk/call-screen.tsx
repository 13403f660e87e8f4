import { Button } from '../../shared/ui/button.jsx';
import type { CallEngine } from '../engine/call-engine.js';
import { EarIcon, HangUpIcon } from '../icons.jsx';
import { titleOf } from '../lobby/kind-picker.jsx';
import type { Call, CallRequest } from '../state/call-state.js';
import { currentStep } from '../state/steps.js';
import { useNow } from '../use-now.js';
import { formatClock } from '../words/times.js';
import styles from './call-screen.module.css';
import { Composer } from './composer.jsx';
import { NoticeBar } from './notice-bar.jsx';
import { StepsList } from './steps-list.jsx';
import { TranscriptView } from './transcript-view.jsx';
import { useRoomParts } from './use-room-parts.js';

export interface CallScreenProps {
  readonly engine: CallEngine;
  readonly call: Call;
  readonly request: CallRequest;
}

export function CallScreen({ engine, call, request }: CallScreenProps) {
  const room = engine.room?.room;
  const parts = useRoomParts();
  const isTalking = call.marks.readyAt !== undefined;
  const isJoined = call.room.connection === 'joined';
  const hasFailed = call.problem !== undefined && !isTalking;
  return (
    <main
      className={styles['screen']}
      data-testid="call"
      data-status={call.status}
      data-failed={hasFailed}
      data-session={call.sessionId}
    >
      <header className={styles['header']}>
        <h1 tabIndex={-1}>{request.profile ? titleOf(request.profile) : 'Your call'}</h1>
        <span className={styles['facts']}>
          {parts && room && isTalking && <parts.Quality room={room} />}
          <CallTime since={call.marks.readyAt} />
        </span>
      </header>
      <p className="visually-hidden" role="status" data-testid="step-now">
        {currentStep(call)}
      </p>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- on a small screen it scrolls, by keyboard too */}
      <section className={styles['stage']} aria-label="Agent" tabIndex={0}>
        {call.status === 'returning' ? (
          <p className={styles['returning']} data-testid="returning">
            Returning to your call …
          </p>
        ) : isTalking ? (
          parts && room && <parts.AgentStage room={room} isRestarting={call.status === 'restarting'} />
        ) : (
          <StepsList call={call} onRetry={() => engine.retry()} onBack={() => engine.showLobby()} />
        )}
        {call.room.isListenedTo && (
          <p className={styles['listening']} data-testid="listened-to">
            <EarIcon size={18} /> An operator is listening
          </p>
        )}
        {!call.problem && (
          <NoticeBar
            call={call}
            onHear={() => engine.startAudio()}
            onMicrophone={() => engine.setMicrophone(true)}
          />
        )}
      </section>
      <section className={styles['talk']} aria-label="Conversation">
        <TranscriptView
          lines={call.lines}
          empty={emptyWords(call)}
          {...(isJoined && { onSayAgain: ({ text, key }) => void engine.say(text, key) })}
        />
        {!hasFailed && (
          <Composer isDisabled={!isTalking} isPaused={!isJoined} onSay={(text) => void engine.say(text)} />
        )}
      </section>
      <footer className={styles['controls']}>
        <div className={styles['microphone']}>
          {parts && room && isTalking && (
            <parts.MicrophoneControl
              room={room}
              microphone={call.microphone}
              onChange={(isOn) => engine.setMicrophone(isOn)}
              onChoose={(deviceId) => engine.chooseMicrophone(deviceId)}
            />
          )}
        </div>
        {!call.problem && (
          <Button kind="danger" size="large" data-testid="end" onClick={() => engine.end()}>
            <HangUpIcon /> {endWords(call)}
          </Button>
        )}
      </footer>
      <p className={styles['hint']}>{hintWords(call)}</p>
    </main>
  );
}

function CallTime({ since }: { readonly since: number | undefined }) {
  const now = useNow(500);
  return (
    <span className={styles['time']} data-testid="call-time">
      {since !== undefined && (
        <>
          <span className="visually-hidden">Call time </span>
          {formatClock(now - since)}
        </>
      )}
    </span>
  );
}

function hintWords({ status, problem }: Call): string {
  if (problem) return '';
  return status === 'queued'
    ? 'A reload keeps your place. Closing the tab gives it up, a little later.'
    : 'A reload brings you back into this call. Closing the tab ends it, a little later.';
}

function endWords({ marks, status }: Call): string {
  if (marks.readyAt !== undefined) return 'End call';
  return status === 'queued' ? 'Leave the line' : 'Cancel';
}

function emptyWords({ marks, status, problem }: Call): string {
  if (problem) return 'Nothing was said in this call.';
  if (marks.readyAt !== undefined) return 'Say hello. What both of you say appears here.';
  return status === 'queued'
    ? 'Keep this page open: it holds your place in line.'
    : 'What both of you say appears here.';
}
