import { type TestStack, waitFor } from '@greenroom/test-kit';

/** Starts a session as admin and answers its id. */
export async function startSession(stack: TestStack, body: object = {}): Promise<string> {
  const answer = await stack.request('POST', '/api/session/start', body);
  if (answer.status >= 300)
    throw new Error(`start answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body.sessionId;
}

export async function sessionOf(stack: TestStack, sessionId: string) {
  return (await stack.request('GET', `/api/session/${sessionId}`)).body;
}

/** Waits until the session is in this state (`404` waits until it is gone) and answers its last view. */
export async function waitForStatus(
  stack: TestStack,
  sessionId: string,
  status: string | 404,
  timeoutMs = 10_000,
) {
  let seen: Awaited<ReturnType<typeof sessionOf>>;
  await waitFor(
    async () => {
      seen = await sessionOf(stack, sessionId);
      return seen.status === status;
    },
    { timeoutMs },
  );
  return seen;
}

export async function startReady(stack: TestStack, body: object = {}, timeoutMs = 10_000): Promise<string> {
  const sessionId = await startSession(stack, body);
  await waitForStatus(stack, sessionId, 'ready', timeoutMs);
  return sessionId;
}

export function endSession(stack: TestStack, sessionId: string) {
  return stack.request('POST', '/api/session/end', { sessionId });
}

export async function waitForPool(stack: TestStack, ready: number, timeoutMs = 15_000): Promise<void> {
  let seen: unknown;
  const isThere = async (): Promise<boolean> => {
    seen = (await health(stack)).sessions;
    return (seen as { pool: number }).pool === ready;
  };
  await waitFor(isThere, { timeoutMs }).catch((error: unknown) => {
    throw new Error(`the pool did not become ${ready}: ${JSON.stringify(seen)}`, { cause: error });
  });
}

export async function health(stack: TestStack) {
  return (await stack.request('GET', '/api/health')).body;
}

/** Everything of one session that Redis still holds, but for the note of its end and its entry in the history. */
export async function keysOf(stack: TestStack, sessionId: string): Promise<string[]> {
  const keys = (await stack.redis.command('KEYS', `*${sessionId}*`)) as string[];
  return keys.filter((key) => !/^(ended|history|turns):/.test(key)).sort();
}
