import {
  RoomContext,
  useLocalParticipant,
  useMediaDeviceSelect,
  useTrackVolume,
} from '@livekit/components-react';
import type { LocalAudioTrack, Room } from 'livekit-client';
import { MicrophoneIcon, MutedIcon } from '../icons.jsx';
import type { Microphone } from '../state/call-state.js';
import styles from './microphone-control.module.css';

export interface MicrophoneControlProps {
  readonly room: Room;
  readonly microphone: Microphone;
  readonly onChange: (isOn: boolean) => void;
  readonly onChoose: (deviceId: string) => void;
}

/** Mute with level, and which microphone. */
export function MicrophoneControl(props: MicrophoneControlProps) {
  return (
    <RoomContext.Provider value={props.room}>
      <Control {...props} />
    </RoomContext.Provider>
  );
}

function Control({ room, microphone, onChange, onChoose }: MicrophoneControlProps) {
  const { microphoneTrack } = useLocalParticipant();
  const isOn = microphone === 'on';
  const track = isOn ? (microphoneTrack?.track as LocalAudioTrack | undefined) : undefined;
  return (
    <div className={styles['control']}>
      <button
        type="button"
        className={styles['mute']}
        data-testid="mute"
        data-microphone={microphone}
        aria-pressed={!isOn}
        disabled={microphone === 'asking' || microphone === 'insecure'}
        onClick={() => onChange(!isOn)}
      >
        <Level track={track} />
        {isOn ? <MicrophoneIcon size={24} /> : <MutedIcon size={24} />}
        <span className="visually-hidden">Mute microphone</span>
      </button>
      {isSecureContext && (
        <Devices key={microphoneTrack ? 'open' : microphone} room={room} onChoose={onChoose} />
      )}
    </div>
  );
}

/** How loud the microphone is: LiveKit's measure is from 0 to 1, and speech is about 0.3. */
function Level({ track }: { readonly track: LocalAudioTrack | undefined }) {
  const level = Math.min(1, useTrackVolume(track) * 1.6);
  return (
    <span
      className={styles['level']}
      data-testid="mic-level"
      data-level={level.toFixed(2)}
      style={{ transform: `scale(${track ? 1 + level * 0.45 : 1})` }}
    />
  );
}

interface DevicesProps {
  readonly room: Room;
  readonly onChoose: (deviceId: string) => void;
}

/**
 * Also where the microphone in use does not work: another one may. Browsers name none before one is allowed, and do not tell
 * when that changes: so it begins anew with the microphone. It never asks for one itself, which would be a second question.
 */
function Devices({ room, onChoose }: DevicesProps) {
  const { devices, activeDeviceId } = useMediaDeviceSelect({
    kind: 'audioinput',
    room,
    requestPermissions: false,
  });
  const named = devices.filter(({ label }) => label !== '');
  const active = named.some(({ deviceId }) => deviceId === activeDeviceId) ? activeDeviceId : '';
  return (
    <select
      className={styles['devices']}
      data-testid="microphones"
      aria-label="Microphone"
      value={active}
      disabled={named.length === 0}
      onChange={({ target }) => onChoose(target.value)}
    >
      {active === '' && (
        <option value="">{named.length === 0 ? 'No microphone' : 'Default microphone'}</option>
      )}
      {named.map(({ deviceId, label }) => (
        <option key={deviceId} value={deviceId}>
          {label}
        </option>
      ))}
    </select>
  );
}
