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

/** Since when each agent is here, as this page saw it. LiveKit's own word for it is by the clock of another machine. */
const hereSince = new WeakMap<RemoteParticipant, number>();

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
      const waits = agents.filter((agent) => stateOf(agent) === undefined).map(listensIn);
      clearTimeout(patience);
      if (waits.length > 0) patience = setTimeout(done, Math.min(...waits));
    };
    for (const change of CHANGES) room.on(change, look);
    look();
  });
}

/** Asked whenever somebody comes, since the time of each begins when it is seen here. */
export function agentsIn(room: Room): RemoteParticipant[] {
  const agents = [...room.remoteParticipants.values()].filter(({ kind }) => kind === ParticipantKind.AGENT);
  for (const agent of agents) if (!hereSince.has(agent)) hereSince.set(agent, performance.now());
  return agents;
}

function listensIn(agent: RemoteParticipant): number {
  const here = performance.now() - (hereSince.get(agent) ?? performance.now());
  return Math.max(0, LISTENS_WITHIN_MS - here);
}

function listens(agent: RemoteParticipant): boolean {
  const state = stateOf(agent);
  return state !== undefined && state !== 'initializing';
}

function stateOf({ attributes }: RemoteParticipant): string | undefined {
  return attributes[AGENT_STATE];
}
