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
  const httpUrl = url.replace(/^ws/, 'http');
  const askedAt = Date.now();
  let answer: Response;
  try {
    answer = await fetch(httpUrl, { method: 'HEAD', signal: AbortSignal.timeout(LIMIT_MS) });
  } catch (error) {
    const { cause, message } = error as Error & { cause?: { code?: string } };
    return [unreachable(url, cause?.code ?? message)];
  }
  const reading = readDateHeader(answer.headers, askedAt, Date.now());
  return [
    ok('livekit.reachable', `LiveKit answers at ${url}.`),
    await checkKey(httpUrl, apiKey, apiSecret),
    ...(reading === undefined ? [] : [judgeClock('clock.livekit', 'LiveKit', reading)]),
  ];
}

async function checkKey(
  httpUrl: string,
  apiKey: string | undefined,
  apiSecret: string | undefined,
): Promise<Finding> {
  const fix = 'Take both from keys: in the configuration of LiveKit.';
  if (apiKey === undefined || apiSecret === undefined) {
    return failure('livekit.key', 'LIVEKIT_API_KEY and LIVEKIT_API_SECRET are not given.', fix);
  }
  try {
    const client = new RoomServiceClient(httpUrl, apiKey, apiSecret, { requestTimeout: LIMIT_MS / 1_000 });
    return ok('livekit.key', `It takes our key and secret (${(await client.listRooms()).length} rooms).`);
  } catch (error) {
    const { status, message } = error as Error & { status?: number };
    if (status === 401 || status === 403) {
      return failure(
        'livekit.key',
        'It does not know LIVEKIT_API_KEY with that LIVEKIT_API_SECRET (or the clocks differ).',
        fix,
      );
    }
    const what = status === undefined ? message : `HTTP ${status}`;
    return failure(
      'livekit.key',
      `It does not list its rooms (${what}): it may be no LiveKit.`,
      'Correct LIVEKIT_URL, for example ws://localhost:7880.',
    );
  }
}

function unreachable(url: string, why: string): Finding {
  return failure(
    'livekit.reachable',
    `LiveKit at ${url} does not answer (${why}).`,
    'Start it: livekit-server --config livekit.yaml (or npm start, which starts one of its own). Or correct LIVEKIT_URL.',
  );
}
