import { fileURLToPath } from 'node:url';
import {
  baseEnvironment,
  type RunningProcess,
  startProcess,
  type TestStack,
  waitFor,
} from '@greenroom/test-kit';

const CALLER = fileURLToPath(new URL('../fixtures/caller.mjs', import.meta.url));

interface CallerEvent {
  event: 'joined' | 'came' | 'left' | 'published' | 'data' | 'reconnecting' | 'disconnected';
  identity?: string;
  attributes?: Record<string, string>;
  sid?: string;
}

/** Somebody who talks to an agent, as far as LiveKit can tell. */
export interface Caller {
  readonly roomName: string;
  /** All that happened in the room so far. */
  events(): CallerEvent[];
  /** Whether it is connected and always has been. */
  hasStayed(): boolean;
  leave(): Promise<void>;
}

const joined = new Set<RunningProcess>();

/** To be called after each test: one that failed has not said goodbye. */
export async function leaveCalls(): Promise<void> {
  await Promise.all([...joined].map((caller) => caller.stop()));
  joined.clear();
}

/** Joins the room of a session, in a process of its own: the native parts of a client outlive a test's patience. */
export async function joinCall(
  stack: TestStack,
  { token, roomName, livekitUrl }: { token: string; roomName: string; livekitUrl: string },
): Promise<Caller> {
  const caller = await startProcess({
    name: 'caller',
    command: process.execPath,
    args: [CALLER],
    env: { ...baseEnvironment(), LIVEKIT_URL: livekitUrl, TOKEN: token },
    readyWhen: { line: /"joined"/ },
  });
  joined.add(caller);
  // The server says later than the client that somebody is there.
  await waitFor(async () => {
    const participants = await stack.livekit.rooms.listParticipants(roomName);
    return participants.some((it) => it.identity.startsWith('caller-') && it.state === 2);
  });
  const events = (): CallerEvent[] =>
    caller
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{"event"'))
      .map((line) => JSON.parse(line));
  return {
    roomName,
    events,
    hasStayed: () =>
      caller.isRunning() && !events().some(({ event }) => ['reconnecting', 'disconnected'].includes(event)),
    async leave() {
      await caller.stop();
    },
  };
}

/** Starts a session and joins it; answers when the agent is ready and the caller in the room. */
export async function startCall(
  stack: TestStack,
  body: object = {},
): Promise<{ sessionId: string; caller: Caller }> {
  const { status, body: started } = await stack.request('POST', '/api/session/start', body);
  if (status >= 300) throw new Error(`start answered ${status}: ${JSON.stringify(started)}`);
  const caller = await joinCall(stack, started);
  const { sessionId } = started;
  await waitFor(
    async () => (await stack.request('GET', `/api/session/${sessionId}`)).body.status === 'ready',
    { timeoutMs: 20_000 },
  );
  return { sessionId, caller };
}
