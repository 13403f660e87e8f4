import type { ListenResponse } from '@greenroom/contracts';
import { RemoteAudioTrack, Room, RoomEvent } from 'livekit-client';
import { useEffect, useRef, useState } from 'react';
import { Button } from '../../shared/ui/button.jsx';
import { askAsAdmin } from '../door/admin-token.js';
import styles from './actions.module.css';

/** The agent speaks the announcement to its end first. */
const TELLING_MS = 60_000;

/** Hears a call, after the caller was told. It goes on until it is stopped or the call is over. */
export function ListenIn({ sessionId, onStopped }: { sessionId: string; onStopped: () => void }) {
  const [state, setState] = useState('Telling the caller…');
  const speakers = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const room = new Room();
    const gone = new AbortController();
    room.on(RoomEvent.TrackSubscribed, (track) => {
      if (track instanceof RemoteAudioTrack) speakers.current?.append(track.attach());
    });
    room.on(RoomEvent.TrackUnsubscribed, (track) => {
      for (const element of track.detach()) element.remove();
    });
    room.on(RoomEvent.Disconnected, () => setState('Not connected any more.'));
    listen(sessionId, room, gone.signal).then(
      () => setState('You hear this call. The caller was told.'),
      (error: unknown) => {
        if (!gone.signal.aborted) setState(error instanceof Error ? error.message : String(error));
      },
    );
    return () => {
      gone.abort();
      void room.disconnect();
    };
  }, [sessionId]);
  return (
    <div className={styles.listening} role="status" data-testid="listening">
      <span>{state}</span>
      <Button size="small" onClick={onStopped} data-testid="listen-stop">
        Stop listening
      </Button>
      <div ref={speakers} hidden />
    </div>
  );
}

async function listen(sessionId: string, room: Room, signal: AbortSignal): Promise<void> {
  const { serverUrl, participantToken } = await askAsAdmin<ListenResponse>(
    `/api/session/${encodeURIComponent(sessionId)}/listen`,
    { method: 'POST', signal, withinMs: TELLING_MS },
  );
  await room.connect(serverUrl, participantToken);
  if (signal.aborted) await room.disconnect();
}
