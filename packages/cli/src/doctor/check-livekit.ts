import { RoomServiceClient } from 'livekit-server-sdk';
import { judgeClock, readDateHeader } from './check-clock.js';
import { failure, type Finding, ok } from './finding.js';

interface LiveKitSettings {
  readonly url: string;
  readonly apiKey: string | undefined;
  readonly apiSecret: string | undefined;
}

const LIMIT_MS = 5_000;

/** Whether the LiveKit at this URL answers and takes our key, and whose clock is right. */
export async function checkLiveKit({ url, apiKey, apiSecret }: LiveKitSettings): Promise<Finding[]> {
  if (apiKey === undefined || apiSecret === undefined) {
    const silence = await whyUnreachable(url);
    if (silence !== undefined) return [silence];
    return [
      ok('livekit.reachable', `Something answers at ${url}.`),
      failure(
        'livekit.key',
        'LIVEKIT_API_KEY and LIVEKIT_API_SECRET are not given.',
        'Give both: they stand under keys: in the configuration of LiveKit.',
      ),
    ];
  }
  const httpUrl = httpUrlOf(url);
  try {
    const client = new RoomServiceClient(httpUrl, apiKey, apiSecret, { requestTimeout: LIMIT_MS / 1_000 });
    const rooms = await client.listRooms();
    return [
      ok('livekit.reachable', `LiveKit answers at ${url}.`),
      ok('livekit.key', `It takes our key and secret (${rooms.length} rooms).`),
      ...(await checkClock(httpUrl)),
    ];
  } catch (error) {
    return describeRefusal(url, error as Refusal);
  }
}

interface Refusal extends Error {
  readonly status?: number;
  readonly cause?: { readonly code?: string };
}

function describeRefusal(url: string, { status, message, cause }: Refusal): Finding[] {
  if (status === 401 || status === 403) {
    return [
      ok('livekit.reachable', `LiveKit answers at ${url}.`),
      failure(
        'livekit.key',
        'It does not know LIVEKIT_API_KEY with that LIVEKIT_API_SECRET (or the clocks differ).',
        'Take both from keys: in the configuration of LiveKit.',
      ),
    ];
  }
  if (status !== undefined && status !== 0) {
    return [
      failure(
        'livekit.reachable',
        `What answers at ${url} may be no LiveKit (HTTP ${status}).`,
        'Correct LIVEKIT_URL, for example ws://localhost:7880.',
      ),
    ];
  }
  return [unreachable(url, cause?.code ?? message)];
}

function unreachable(url: string, why: string): Finding {
  return failure(
    'livekit.reachable',
    `LiveKit at ${url} does not answer (${why}).`,
    'Start it: livekit-server --config livekit.yaml (or npm start, which starts one of its own). Or correct LIVEKIT_URL.',
  );
}

async function whyUnreachable(url: string): Promise<Finding | undefined> {
  try {
    await fetch(httpUrlOf(url), { method: 'HEAD', signal: AbortSignal.timeout(LIMIT_MS) });
    return undefined;
  } catch (error) {
    const { cause, message } = error as Refusal;
    return unreachable(url, cause?.code ?? message);
  }
}

function httpUrlOf(url: string): string {
  return url.replace(/^ws/, 'http');
}

async function checkClock(httpUrl: string): Promise<Finding[]> {
  const askedAt = Date.now();
  try {
    const response = await fetch(httpUrl, { method: 'HEAD', signal: AbortSignal.timeout(LIMIT_MS) });
    const reading = readDateHeader(response.headers, askedAt, Date.now());
    return reading === undefined ? [] : [judgeClock('clock.livekit', 'LiveKit', reading)];
  } catch {
    return [];
  }
}
