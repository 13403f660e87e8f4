import { randomBytes } from 'node:crypto';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  baseEnvironment,
  makeTempDir,
  type ProcessExit,
  type RunningProcess,
  startProcess,
  type TempDir,
  type TestLiveKit,
  waitFor,
} from '@greenroom/test-kit';
import { AccessToken } from 'livekit-server-sdk';
import { findSpeechPrograms } from '../speech/programs.js';
import { synthesize } from '../speech/synthesize.js';
import { chooseVoice } from '../speech/voices.js';

const AGENT = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const CALLER = fileURLToPath(new URL('./caller.mjs', import.meta.url));

/** `kind` of an agent in LiveKit's participant list, and `state` of one who is there. */
const KIND_AGENT = 4;
const STATE_ACTIVE = 2;

export interface SeenEvent {
  readonly event: string;
  readonly at: number;
  readonly [key: string]: unknown;
}

export interface AgentUnderTest {
  readonly process: RunningProcess;
  readonly identity: string;
  events(): Promise<SeenEvent[]>;
  waitForEvent(matches: Partial<SeenEvent>, timeoutMs?: number): Promise<SeenEvent>;
  stop(): Promise<ProcessExit>;
}

export interface HeardEvent {
  readonly at: number;
  readonly hearing?: boolean;
  readonly state?: string;
  /** How high the voice was, at the end of hearing it. */
  readonly pitchHz?: number;
  readonly transcript?: string;
  readonly by?: 'agent' | 'user';
  readonly final?: boolean;
  readonly joined?: boolean;
}

export interface CallerUnderTest {
  heard(): HeardEvent[];
  /** The first event like this after `since` (milliseconds since 1970). */
  waitFor(what: string, matches: (event: HeardEvent) => boolean, since?: number): Promise<HeardEvent>;
  /** Resolves when what the agent began to say after `since` has been heard to its end. */
  listenOut(since: number): Promise<HeardEvent>;
  /** Starts saying it and gives the time. */
  say(text: string): Promise<number>;
  type(text: string): Promise<number>;
  /** Sends a data message into the room. */
  send(topic: string, body: object): Promise<number>;
  leave(): Promise<void>;
}

/** A room of its own for a test, in the shape that a session's room has. */
export async function makeRoom(livekit: TestLiveKit, metadata: object = {}): Promise<string> {
  const name = `room-${randomBytes(6).toString('hex')}`;
  await livekit.rooms.createRoom({
    name,
    emptyTimeout: 600,
    departureTimeout: 600,
    metadata: JSON.stringify(metadata),
  });
  return name;
}

/** Starts the agent as a spawner would and returns at once. */
export async function startAgent(
  livekit: TestLiveKit,
  room: string,
  env: Record<string, string> = {},
): Promise<AgentUnderTest> {
  const dir = await makeTempDir('agent');
  const file = join(dir.path, 'events');
  const identity = 'agent-session_test-g1';
  const process_ = await startProcess({
    name: 'agent',
    command: process.execPath,
    args: [AGENT],
    env: { ...baseEnvironment(), ...(await agentEnvironment(livekit, room, identity, file)), ...env },
  });
  const events = () => readEvents(file);
  return {
    process: process_,
    identity,
    events,
    waitForEvent: (matches, timeoutMs = 15_000) =>
      waitFor(async () => (await events()).find((event) => isLike(event, matches)), {
        timeoutMs,
        what: `event ${JSON.stringify(matches)}`,
      }),
    async stop() {
      const exit = await process_.stop();
      await dir.remove();
      return exit;
    },
  };
}

/** Starts a caller and returns when it is in the room with its microphone on. */
export async function startCaller(
  livekit: TestLiveKit,
  room: string,
  { identity = 'caller', attributes = {} }: { identity?: string; attributes?: Record<string, string> } = {},
): Promise<CallerUnderTest> {
  const dir = await makeTempDir('caller');
  const commands = join(dir.path, 'commands');
  await writeFile(commands, '');
  const token = await mintToken(livekit, room, identity, { attributes });
  const running = await startProcess({
    name: 'caller',
    command: process.execPath,
    args: [CALLER, livekit.url, token, commands],
    env: { ...baseEnvironment(), NODE_ENV: 'production' },
    readyWhen: { line: /"joined":true/ },
  });
  return describeCaller(running, dir, commands);
}

export async function isAgentActive(livekit: TestLiveKit, room: string): Promise<boolean> {
  const participants = await livekit.rooms.listParticipants(room);
  return participants.some(({ kind, state }) => kind === KIND_AGENT && state === STATE_ACTIVE);
}

function describeCaller(running: RunningProcess, dir: TempDir, commands: string): CallerUnderTest {
  const heard = () => parseLines<HeardEvent>(running.output());
  const command = async (line: object) => {
    await appendFile(commands, `${JSON.stringify(line)}\n`);
    return Date.now();
  };
  const waitForHeard: CallerUnderTest['waitFor'] = (what, matches, since = 0) =>
    waitFor(() => heard().find((event) => event.at >= since && matches(event)), { timeoutMs: 20_000, what });
  return {
    heard,
    waitFor: waitForHeard,
    async listenOut(since) {
      const start = await waitForHeard('the agent to speak', ({ hearing }) => hearing === true, since);
      return waitForHeard('the agent to be done', ({ hearing }) => hearing === false, start.at);
    },
    say: async (text) => command({ say: await speakToFile(text, dir) }),
    type: (text) => command({ type: text }),
    send: (topic, body) => command({ data: { topic, body } }),
    async leave() {
      await command({ leave: true });
      await running.exited;
      await running.stop();
      await dir.remove();
    },
  };
}

async function agentEnvironment(
  livekit: TestLiveKit,
  room: string,
  identity: string,
  eventsFile: string,
): Promise<Record<string, string>> {
  return {
    SESSION_ID: 'session_test',
    AGENT_ID: 'session_test',
    GREENROOM_LAUNCH: 'launch-1',
    GREENROOM_EVENTS: eventsFile,
    AGENT_MODE: 'user',
    LIVEKIT_URL: livekit.url,
    LIVEKIT_TOKEN: await mintToken(livekit, room, identity, { isAgent: true }),
    LIVEKIT_ROOM_NAME: room,
    ROOM_NAME: room,
    USER_ID: '',
    USER_NAME: '',
    VOICE_ID: '',
    PROFILE: 'default',
    TZ: 'UTC',
  };
}

async function mintToken(
  livekit: TestLiveKit,
  room: string,
  identity: string,
  { isAgent = false, attributes = {} }: { isAgent?: boolean; attributes?: Record<string, string> },
): Promise<string> {
  const token = new AccessToken(livekit.apiKey, livekit.apiSecret, { identity, ttl: 600, attributes });
  if (isAgent) token.kind = 'agent';
  token.addGrant({
    roomJoin: true,
    room,
    canPublish: true,
    canSubscribe: true,
    canPublishData: true,
    canUpdateOwnMetadata: isAgent,
  });
  return token.toJwt();
}

async function readEvents(file: string): Promise<SeenEvent[]> {
  return parseLines(await readFile(file, 'utf8').catch(() => ''));
}

function parseLines<T>(text: string): T[] {
  return text
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as T);
}

function isLike(event: SeenEvent, matches: Partial<SeenEvent>): boolean {
  return Object.entries(matches).every(([key, value]) => event[key] === value);
}

/** Speaks in a voice other than the agent's, at the caller's rate, with the silence that people leave. */
async function speakToFile(text: string, dir: TempDir): Promise<string> {
  const programs = findSpeechPrograms(baseEnvironment()['PATH'] ?? '');
  const { samples, sampleRate } = await synthesize(text, chooseVoice('slt', programs));
  if (sampleRate !== 16_000)
    throw new Error(`the tests need flite, whose voices have 16 kHz, not ${sampleRate}`);
  const file = join(dir.path, `${text.replace(/\W+/g, '-')}.wav`);
  await writeFile(
    file,
    Buffer.concat([Buffer.alloc(44), Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)]),
  );
  return file;
}
