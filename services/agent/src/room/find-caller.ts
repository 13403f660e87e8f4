import { ParticipantKind, type RemoteParticipant, type Room } from '@livekit/rtc-node';

const CALLER_KINDS: readonly ParticipantKind[] = [
  ParticipantKind.STANDARD,
  ParticipantKind.SIP,
  ParticipantKind.CONNECTOR,
];

export function isCaller(participant: RemoteParticipant): boolean {
  return CALLER_KINDS.includes(participant.kind);
}

export function findCaller(room: Room): RemoteParticipant | undefined {
  return [...room.remoteParticipants.values()].find(isCaller);
}
