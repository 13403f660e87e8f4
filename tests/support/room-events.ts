import { agentIdentity } from '@greenroom/contracts';
import { type TestStack, waitFor } from '@greenroom/test-kit';
import { joinCall } from './caller.js';
import { sessionOf } from './sessions.js';

export function fieldOf(stack: TestStack, sessionId: string, name: string) {
  return stack.redis.command('HGET', `session:${sessionId}`, name);
}

/** When Redis noted that the caller is not there any more. */
export async function missedAt(stack: TestStack, sessionId: string): Promise<number> {
  await waitFor(async () => (await fieldOf(stack, sessionId, 'callerLeftAt')) !== null);
  return Number(await fieldOf(stack, sessionId, 'callerLeftAt'));
}

/** The same caller joins again, with a fresh token. */
export async function comeBack(stack: TestStack, sessionId: string) {
  const { body } = await stack.request('POST', '/api/token', { sessionId });
  const roomName = (await sessionOf(stack, sessionId)).roomName;
  return joinCall(stack, { token: body.participant_token, livekitUrl: body.server_url, roomName });
}

export async function throwOutAgent(stack: TestStack, sessionId: string): Promise<void> {
  // Only one that was seen there can have gone.
  await waitFor(async () => (await fieldOf(stack, sessionId, 'agentSeenLaunch')) !== null, {
    timeoutMs: 3000,
  });
  const { roomName, generation } = await sessionOf(stack, sessionId);
  await stack.livekit.rooms.removeParticipant(roomName, agentIdentity(sessionId, generation));
}

/** All that happened in the session so far. */
export async function eventsOf(stack: TestStack, sessionId: string): Promise<[string, unknown][]> {
  const entries = (await stack.redis.command('XRANGE', `stream:${sessionId}`, '-', '+')) as [
    string,
    string[],
  ][];
  return entries.map(([, fields]) => [fields[1] ?? '', JSON.parse(fields[3] ?? '{}')]);
}

export async function waitForAnotherAgent(stack: TestStack, sessionId: string, timeoutMs = 15_000) {
  await waitFor(
    async () => {
      const { generation, status } = await sessionOf(stack, sessionId);
      return generation === 2 && status === 'ready';
    },
    { timeoutMs },
  );
  return sessionOf(stack, sessionId);
}
