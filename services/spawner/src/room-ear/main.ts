import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ParticipantKind,
  type RemoteParticipant,
  type RemoteTrackPublication,
  Room,
  RoomEvent,
  TrackKind,
} from '@livekit/rtc-node';
import {
  type HeardInRoom,
  isAgentState,
  type JoinRoom,
  type SeenParticipant,
  soundsOf,
} from './room-sounds.js';

// A program of its own, since it hears through native code: whatever becomes of that, no call is touched. It is told which
// rooms to join, and tells who speaks there. It goes with the spawner that started it.

/** Longest wait for the sound of those who are there. */
const SUBSCRIBE_LIMIT_MS = 5000;
const LOOK_MS = 100;
/** LiveKit measures for a while before it tells that somebody speaks. */
const MEASURING_MS = 1000;

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
    const sounds = soundsOf([...room.remoteParticipants.values()].map(seen), speaking);
    const news = JSON.stringify(sounds);
    if (news === last) return;
    last = news;
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
  room.on(RoomEvent.TrackPublished, listenTo);
  room.on(RoomEvent.Disconnected, () => lose(name));
  // LiveKit tells of a speaker at the moment of subscription, and only whom it takes for being there by then.
  await room.connect(url, token, { autoSubscribe: false, dynacast: false });
  for (const publication of publicationsIn(room)) listenTo(publication);
  await untilSoundsArrive(room);
  look();
}

function seen({ identity, attributes, kind }: RemoteParticipant): SeenParticipant {
  return { identity, attributes, isOnThePhone: kind === ParticipantKind.SIP };
}

function listenTo(publication: RemoteTrackPublication): void {
  if (isAudio(publication)) publication.setSubscribed(true);
}

async function untilSoundsArrive(room: Room): Promise<void> {
  const deadline = performance.now() + SUBSCRIBE_LIMIT_MS;
  const isComplete = (): boolean => publicationsIn(room).every((it) => it.subscribed || !isAudio(it));
  while (performance.now() < deadline && !isComplete()) await sleep(LOOK_MS);
  await sleep(MEASURING_MS);
}

function publicationsIn(room: Room): RemoteTrackPublication[] {
  return [...room.remoteParticipants.values()].flatMap((it) => [...it.trackPublications.values()]);
}

function isAudio({ kind }: RemoteTrackPublication): boolean {
  return kind === TrackKind.KIND_AUDIO;
}

function lose(name: string): void {
  rooms.delete(name);
  tell({ room: name, isThere: false });
}

function tell(heard: HeardInRoom): void {
  process.send?.(heard);
}
