import { RoomContext, useConnectionQualityIndicator, useLocalParticipant } from '@livekit/components-react';
import { ConnectionQuality, type Room } from 'livekit-client';
import styles from './quality.module.css';

/** How good the connection of this page is, in three bars and a word. */
export function Quality({ room }: { readonly room: Room }) {
  return (
    <RoomContext.Provider value={room}>
      <Bars />
    </RoomContext.Provider>
  );
}

const WORDS: Readonly<Record<ConnectionQuality, readonly [bars: number, words: string]>> = {
  [ConnectionQuality.Excellent]: [3, 'Good connection'],
  [ConnectionQuality.Good]: [2, 'Fair connection'],
  [ConnectionQuality.Poor]: [1, 'Poor connection'],
  [ConnectionQuality.Lost]: [0, 'No connection'],
  [ConnectionQuality.Unknown]: [0, 'Measuring the connection'],
};

function Bars() {
  const { localParticipant } = useLocalParticipant();
  const { quality } = useConnectionQualityIndicator({ participant: localParticipant });
  const [bars, words] = WORDS[quality];
  return (
    <span className={styles['quality']} data-testid="quality" data-quality={quality} title={words}>
      {[1, 2, 3].map((bar) => (
        <i key={bar} className={bar <= bars ? styles['on'] : ''} aria-hidden="true" />
      ))}
      <span className="visually-hidden">{words}</span>
    </span>
  );
}
