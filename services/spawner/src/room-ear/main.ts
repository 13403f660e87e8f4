import process from 'node:process';
import { Room, RoomEvent } from '@livekit/rtc-node';
import { type HeardInRoom, isAgentState, type JoinRoom, soundsOf } from './room-sounds.js';

// A program of its own, since it hears through native code: whatever becomes of that, no call is touched. It is told which
// rooms to join, and tells who speaks there. It goes with the spawner that started it.

const rooms = new Set<string>();

process.on('disconnect', () => process.exit(0));
process.on('message', (message: JoinRoom) => {
  const { room } = message;
  if (rooms.has(room)) return;
  rooms.add(room);
  join(message).catch(() => lose(room));
});

async function join({ room: name, url, token }: JoinRoom): Promise<void> {
  const room = new Room();
  let speaking: ReadonlySet<string> = new Set();
  let last = '';
  const look = (): void => {
    const sounds = soundsOf([...room.remoteParticipants.values()], speaking);
    const seen = JSON.stringify(sounds);
    if (seen === last) return;
    last = seen;
    tell({ room: name, isThere: true, ...sounds });
  };
  room.on(RoomEvent.ActiveSpeakersChanged, (speakers) => {
    speaking = new Set(speakers.map(({ identity }) => identity));
    look();
  });
  room.on(RoomEvent.ParticipantAttributesChanged, (changed) => {
    if (isAgentState(changed)) look();
  });
  room.on(RoomEvent.ParticipantDisconnected, look);
  room.on(RoomEvent.Disconnected, () => lose(name));
  await room.connect(url, token, { autoSubscribe: true, dynacast: false });
  look();
}

function lose(name: string): void {
  rooms.delete(name);
  tell({ room: name, isThere: false });
}

function tell(heard: HeardInRoom): void {
  process.send?.(heard);
}
