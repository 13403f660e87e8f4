import { type EventStream, openEventStream, startRedis, type TestRedis } from '@greenroom/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { type ServedApi, serveTestApi } from './served-api.js';
import { StandInSpawner } from './test-api.js';

/** The launch of a call. */
export type Ref = { sessionId: string; generation: number; launch: string };

/** Of this test file, once it has called `useTwoApis`. */
export let redis: TestRedis;
/** Two instances that listen, on one Redis. */
export let a: ServedApi;
export let b: ServedApi;
/** Has registered, as each test begins. */
export let spawner: StandInSpawner;

const open: EventStream[] = [];

/** One Redis and two apis for the whole file, emptied before each test. Streams that a test leaves open are left after it. */
export function useTwoApis(): void {
  beforeAll(async () => {
    redis = await startRedis();
    a = await serveTestApi({ redis });
    b = await serveTestApi({ redis });
  });
  afterAll(async () => {
    await a.close();
    await b.close();
    await redis.stop();
  });
  beforeEach(async () => {
    await redis.command('FLUSHALL');
    spawner = new StandInSpawner(a.schema);
    await spawner.register();
  });
  afterEach(() => {
    for (const stream of open.splice(0)) stream.leave();
  });
}

interface FollowOptions {
  api?: ServedApi;
  lastEventId?: string;
  Authorization?: string;
}

export function follow(sessionId: string, { api = a, ...options }: FollowOptions = {}): Promise<EventStream> {
  return followUrl(`${api.baseUrl}/api/session/${sessionId}/events`, options);
}

export async function followUrl(
  url: string,
  { lastEventId, ...headers }: Omit<FollowOptions, 'api'> = {},
): Promise<EventStream> {
  const stream = await openEventStream(url, {
    ...(lastEventId !== undefined && { 'Last-Event-ID': lastEventId }),
    ...headers,
  });
  open.push(stream);
  return stream;
}

/** A call whose agent is ready. */
export async function call(): Promise<Ref> {
  await a.start();
  return spawner.launchNext();
}

export function say(ref: Ref, ...texts: string[]) {
  const events = texts.map((text) => ({ type: 'transcript', data: { role: 'user', text, final: true } }));
  return a.schema.agents.append(ref, { lines: [], events });
}

export async function end({ sessionId, generation }: Ref): Promise<void> {
  await a.post('/api/session/end', { sessionId });
  await a.schema.sessions.finishEnd(sessionId, generation);
}

export const textsOf = (stream: EventStream) =>
  stream.events.filter(({ event }) => event === 'transcript').map(({ data }) => data.text);
export const namesOf = (stream: EventStream) => stream.events.map(({ event }) => event);
