import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatDuration, type StartResponse } from '@greenroom/contracts';
import { ApiError } from '../api/api-error.js';
import type { HttpClient } from '../api/http-client.js';
import { CliError } from '../cli-error.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { clean } from '../output/clean.js';
import { findSpeech, type Segment } from '../speech/segments.js';
import { synthesize } from '../speech/synthesize.js';
import { decodeWav, encodeWav, type Pcm } from '../speech/wav.js';
import { CallApi } from './call-api.js';
import { CallClock } from './call-clock.js';
import { RoomConnection } from './room-connection.js';
import { Transcript, type TranscriptEntry } from './transcript.js';

export interface CallOptions {
  /** Without a key. */
  api: HttpClient;
  /** With the key that opens the start, where there is one. */
  startApi: HttpClient;
  name: string | undefined;
  voice: string | undefined;
  profile: string | undefined;
  /** Spoken one after the other, each when the agent has finished. */
  say: string[];
  wav: string[];
  /** File for what was heard. */
  record: string | undefined;
  /** Ends the call early. */
  hangUp: AbortSignal;
  /** For people, as it happens. */
  print: (line: string) => void;
}

/** Times are milliseconds since the session was asked for. */
export interface CallReport {
  sessionId: string;
  prewarmed: boolean;
  startAnsweredMs: number;
  agentInRoomMs: number | null;
  firstAudioMs: number | null;
  utterances: { text: string; startMs: number; endMs: number; answered: boolean }[];
  transcript: TranscriptEntry[];
  /** When the recording begins; its segments are counted on the same clock as everything else. */
  recordingBeganMs: number;
  heard: Segment[];
  endReason: string | null;
}

/** Why a call did not come about. */
export class CallError extends CliError {
  constructor(message: string, exitCode: ExitCode, next?: string) {
    super(message, { exitCode, ...(next !== undefined && { next }) });
  }
}

const AGENT_LIMIT_MS = 60_000;
const GREETING_LIMIT_MS = 8_000;
const ANSWER_LIMIT_MS = 20_000;
/** So long after its last sound an agent counts as having finished, if it does not say that it listens. */
const QUIET_MS = 1_200;
const LISTENING_QUIET_MS = 500;
/** Time for the agent to end the call. */
const LAST_WORD_MS = 1_000;
const LOOK_MS = 50;
const POLL_MS = 500;

/** One call from beginning to end. Whatever happens, the session is ended. @throws CallError */
export async function runCall(options: CallOptions): Promise<CallReport> {
  const sounds = await prepareSounds(options);
  const api = new CallApi(options.api, options.startApi);
  const clock = new CallClock();
  const started = await start(api, options);
  const startAnsweredMs = clock.now();
  options.print(
    line('start answered', startAnsweredMs, `${started.status}${started.prewarmed ? ', warm' : ''}`),
  );
  const transcript = new Transcript(clock, ({ role, text }) =>
    options.print(`${role === 'agent' ? 'agent' : 'you'}: ${clean(text)}`),
  );
  const connection = new RoomConnection(clock, transcript);
  const utterances: CallReport['utterances'] = [];
  let endReason: string | null = null;
  try {
    await converse({ api, started, connection, clock, sounds, options, utterances });
  } finally {
    endReason = await hangUp(api, started.sessionId, connection);
  }
  const recording = connection.ear.recording();
  if (options.record !== undefined) await writeFile(options.record, encodeWav(recording));
  options.print(`call ended: ${endReason ?? 'unknown'} after ${formatDuration(clock.now())}`);
  return {
    sessionId: started.sessionId,
    prewarmed: started.prewarmed,
    startAnsweredMs,
    agentInRoomMs: connection.agentInRoomMs ?? null,
    firstAudioMs: connection.ear.firstLoudMs ?? null,
    utterances,
    transcript: transcript.entries,
    recordingBeganMs: connection.ear.beganMs,
    heard: findSpeech(recording).map(({ startMs, endMs }) => ({
      startMs: startMs + connection.ear.beganMs,
      endMs: endMs + connection.ear.beganMs,
    })),
    endReason,
  };
}

interface Sound {
  text: string;
  pcm: Pcm;
}

async function prepareSounds({ say, wav }: CallOptions): Promise<Sound[]> {
  const spoken = say.map(async (text) => ({ text, pcm: await synthesize(text) }));
  const recorded = wav.map(async (file) => ({ text: file, pcm: decodeWav(await readFile(file)) }));
  return Promise.all([...spoken, ...recorded]);
}

async function start(api: CallApi, { name, voice, profile }: CallOptions): Promise<StartResponse> {
  try {
    return await api.start({
      ...(name !== undefined && { userName: name }),
      ...(voice !== undefined && { voiceId: voice }),
      ...(profile !== undefined && { profile }),
    });
  } catch (error) {
    throw new CallError(
      (error as Error).message,
      EXIT.refused,
      error instanceof ApiError ? error.next : undefined,
    );
  }
}

interface Conversation {
  api: CallApi;
  started: StartResponse;
  connection: RoomConnection;
  clock: CallClock;
  sounds: Sound[];
  options: CallOptions;
  utterances: CallReport['utterances'];
}

async function converse(call: Conversation): Promise<void> {
  const { connection, clock, options, started, api } = call;
  const stop = AbortSignal.any([options.hangUp, connection.over]);
  const arrived = new AbortController();
  try {
    // A start that fails takes its room along, and whoever is joining it learns of that late or never.
    const failed = watchStart(api, started.sessionId, arrived.signal);
    await Promise.race([joinAgent(call, stop), failed]);
  } finally {
    arrived.abort();
  }
  if (connection.agentInRoomMs === undefined) return;
  options.print(line('agent in room', connection.agentInRoomMs));
  await waitUntil(() => connection.ear.firstLoudMs !== undefined, GREETING_LIMIT_MS, stop);
  if (connection.ear.firstLoudMs !== undefined)
    options.print(line('first audio', connection.ear.firstLoudMs));
  await waitForQuiet(connection, clock, stop);
  for (const sound of call.sounds) {
    if (stop.aborted) return;
    await ask(sound, call, stop);
  }
  // An agent that was said goodbye to hangs up by itself.
  await waitUntil(() => false, LAST_WORD_MS, stop);
}

/** Into the room, and until an agent is there too. */
async function joinAgent({ api, started, connection }: Conversation, stop: AbortSignal): Promise<void> {
  try {
    const details = started.status === 'queued' ? await waitInLine(api, started, stop) : started;
    await connection.join(details, stop);
  } catch (error) {
    throw new CallError((error as Error).message, EXIT.notJoined);
  }
  const came = await waitUntil(() => connection.agentInRoomMs !== undefined, AGENT_LIMIT_MS, stop);
  if (came) return;
  // A room that is closed on us leaves it to the session to say why; that is asked for a moment longer.
  if (connection.over.aborted) await sleep(POLL_MS * 4);
  if (!stop.aborted || connection.over.aborted) {
    throw new CallError('No agent came into the room.', EXIT.noAgent);
  }
}

/** Ends only by failing, with the reason, when the session does. */
async function watchStart(api: CallApi, sessionId: string, arrived: AbortSignal): Promise<never> {
  for (;;) {
    await requireLiveSession(api, sessionId);
    await sleep(POLL_MS, undefined, { signal: arrived }).catch(() => new Promise<never>(() => undefined));
  }
}

/** Room and token come with promotion, perhaps under another id; the old one leads to it. */
async function waitInLine(api: CallApi, { sessionId }: StartResponse, stop: AbortSignal) {
  for (;;) {
    const session = await api.session(sessionId);
    if (session.roomName !== null) return api.token(session.sessionId, session.roomName);
    await sleep(POLL_MS, undefined, { signal: stop });
  }
}

/** @throws CallError with the reason when the start has failed or the session is over */
async function requireLiveSession(api: CallApi, sessionId: string): Promise<void> {
  const session = await api.session(sessionId).catch((error: ApiError) => error);
  if (session instanceof ApiError) {
    // An api that is away for a moment says nothing about the session.
    if (session.status !== 404) return;
    throw new CallError(`The session is over: ${session.body.endReason ?? session.message}`, EXIT.noAgent);
  }
  if (session.status !== 'error') return;
  throw new CallError(`The agent could not be started: ${session.error ?? 'no reason given'}`, EXIT.noAgent);
}

async function ask(
  sound: Sound,
  { connection, clock, utterances }: Conversation,
  stop: AbortSignal,
): Promise<void> {
  const startMs = clock.now();
  await Promise.race([connection.microphone.say(sound.pcm), aborted(stop)]);
  const endMs = clock.now();
  const answered = await waitUntil(() => (connection.ear.lastLoudMs ?? 0) > endMs, ANSWER_LIMIT_MS, stop);
  if (answered) await waitForQuiet(connection, clock, stop);
  utterances.push({ text: sound.text, startMs, endMs, answered });
}

/** Until the agent has finished: it says that it listens and nothing is heard, or nothing is heard for longer. */
async function waitForQuiet(connection: RoomConnection, clock: CallClock, stop: AbortSignal): Promise<void> {
  const isQuiet = (): boolean => {
    const quietMs = clock.now() - (connection.ear.lastLoudMs ?? 0);
    const state = connection.agentState;
    if (state === 'listening') return quietMs >= LISTENING_QUIET_MS;
    return state === undefined && quietMs >= QUIET_MS;
  };
  await waitUntil(isQuiet, ANSWER_LIMIT_MS, stop);
}

/** @returns whether it came true before the time was over or the call was */
async function waitUntil(condition: () => boolean, limitMs: number, stop: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (!condition()) {
    if (stop.aborted || performance.now() > deadline) return false;
    await sleep(LOOK_MS);
  }
  return true;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Ends the session and waits until it is over, for its reason. */
async function hangUp(api: CallApi, sessionId: string, connection: RoomConnection): Promise<string | null> {
  await connection.leave().catch(() => undefined);
  await api.end(sessionId).catch(() => undefined);
  const deadline = performance.now() + ANSWER_LIMIT_MS;
  while (performance.now() < deadline) {
    const session = await api.session(sessionId).catch((error: ApiError) => error);
    if (session instanceof ApiError) return session.body.endReason ?? null;
    if (session.status === 'error') return 'start_failed';
    await sleep(LOOK_MS * 2);
  }
  return null;
}

function line(what: string, ms: number, more = ''): string {
  return `${what.padEnd(15)} ${formatDuration(ms).padStart(8)}  ${more}`.trimEnd();
}
