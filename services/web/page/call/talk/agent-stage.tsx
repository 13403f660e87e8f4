import {
  BarVisualizer,
  RoomAudioRenderer,
  RoomContext,
  useIsSpeaking,
  useLocalParticipant,
  useVoiceAssistant,
} from '@livekit/components-react';
import type { Participant, Room } from 'livekit-client';
import type { CSSProperties } from 'react';
import styles from './agent-stage.module.css';

export interface AgentStageProps {
  readonly room: Room;
  readonly isRestarting: boolean;
}

/** The agent: heard, seen to speak, and what it does right now in a word. */
export function AgentStage({ room, isRestarting }: AgentStageProps) {
  return (
    <RoomContext.Provider value={room}>
      <RoomAudioRenderer />
      <Agent isRestarting={isRestarting} />
    </RoomContext.Provider>
  );
}

const BARS = 9;

function Agent({ isRestarting }: { readonly isRestarting: boolean }) {
  const { agent, state, audioTrack } = useVoiceAssistant();
  const { localParticipant } = useLocalParticipant();
  const isHeard = useIsSpeaking(localParticipant);
  const mood = isRestarting || !agent ? 'away' : state;
  return (
    <div className={styles['agent']} data-testid="agent" data-state={mood}>
      <BarVisualizer
        className={styles['bars'] ?? ''}
        barCount={BARS}
        state={mood === 'away' ? 'connecting' : state}
        {...(audioTrack && { trackRef: audioTrack })}
        aria-hidden="true"
      >
        <Bar />
      </BarVisualizer>
      <p className={styles['state']}>
        {agent ? <AgentWords agent={agent} state={mood} /> : 'Waiting for the agent'}
      </p>
      <p className={styles['you']} data-testid="you-speak" data-active={isHeard}>
        {isHeard ? 'You are heard' : ' '}
      </p>
    </div>
  );
}

/** An agent that says nothing of its state is still heard. */
function AgentWords({ agent, state }: { readonly agent: Participant; readonly state: string }) {
  const isSpeaking = useIsSpeaking(agent);
  switch (state) {
    case 'away':
      return 'Another agent is joining';
    case 'speaking':
      return 'Speaking';
    case 'thinking':
      return 'Thinking';
    case 'listening':
    case 'idle':
      return 'Listening';
    case 'initializing':
      return 'Getting ready';
    default:
      return isSpeaking ? 'Speaking' : 'Connected';
  }
}

interface BarProps {
  readonly style?: CSSProperties;
  readonly className?: string;
  readonly 'data-lk-bar-index'?: number;
}

/** LiveKit gives the height in per cent. Cut to it, a bar moves nothing beside it and keeps its round ends. */
function Bar({ style, ...rest }: BarProps) {
  const fromMiddle = Math.abs((rest['data-lk-bar-index'] ?? 0) - (BARS - 1) / 2) / BARS;
  const height = Number.parseFloat(String(style?.height ?? '0')) * (1 - fromMiddle);
  const cut = (100 - Math.max(12, Math.min(100, height))) / 2;
  return <span {...rest} style={{ clipPath: `inset(${cut}% 0 round 9px)` }} />;
}
