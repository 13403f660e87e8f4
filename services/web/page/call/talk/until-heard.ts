import {
  ConnectionState,
  ParticipantKind,
  type RemoteParticipant,
  type Room,
  RoomEvent,
} from 'livekit-client';

const AGENT_STATE = 'lk.agent.state';
/** For an agent that says nothing of its state: it is in the room some time before it listens. */
const LISTENS_WITHIN_MS = 5_000;

const CHANGES = [
  RoomEvent.ParticipantConnected,
  RoomEvent.ParticipantDisconnected,
  RoomEvent.ParticipantAttributesChanged,
  RoomEvent.ConnectionStateChanged,
] as const;

/**
 * What is sent into a room reaches who is in it, and is kept for nobody: so it waits for an agent, however long another one takes
 * to replace the one that was lost, and for that agent to listen.
 * @throws when the room is lost before
 */
export function untilHeard(room: Room): Promise<void> {
  return new Promise((resolve, reject) => {
    let patience: ReturnType<typeof setTimeout> | undefined;
    const stop = (): void => {
      clearTimeout(patience);
      for (const change of CHANGES) room.off(change, look);
    };
    const done = (): void => {
      stop();
      resolve();
    };
    const look = (): void => {
      if (room.state === ConnectionState.Disconnected) {
        stop();
        return reject(new Error('not connected'));
      }
      const agents = room.state === ConnectionState.Connected ? agentsIn(room) : [];
      if (agents.some(listens)) return done();
      if (agents.some((agent) => stateOf(agent) === undefined))
        patience ??= setTimeout(done, LISTENS_WITHIN_MS);
      else {
        clearTimeout(patience);
        patience = undefined;
      }
    };
    for (const change of CHANGES) room.on(change, look);
    look();
  });
}

export function isAgent({ kind }: RemoteParticipant): boolean {
  return kind === ParticipantKind.AGENT;
}

function agentsIn(room: Room): RemoteParticipant[] {
  return [...room.remoteParticipants.values()].filter(isAgent);
}

function listens(agent: RemoteParticipant): boolean {
  const state = stateOf(agent);
  return state !== undefined && state !== 'initializing';
}

function stateOf({ attributes }: RemoteParticipant): string | undefined {
  return attributes[AGENT_STATE];
}
