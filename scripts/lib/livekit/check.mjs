import { createHmac } from 'node:crypto';

/** Undefined when the LiveKit at LIVEKIT_URL answers and takes our key; else what is wrong, in half a sentence. */
export async function checkLiveKit({ LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET }) {
  if (!LIVEKIT_API_KEY || !LIVEKIT_API_SECRET) return 'LIVEKIT_API_KEY and LIVEKIT_API_SECRET are not given';
  let response;
  try {
    response = await fetch(
      new URL('/twirp/livekit.RoomService/ListRooms', LIVEKIT_URL.replace(/^ws/, 'http')),
      {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${listToken(LIVEKIT_API_KEY, LIVEKIT_API_SECRET)}`,
        },
        body: '{}',
        signal: AbortSignal.timeout(5_000),
      },
    );
  } catch (error) {
    return `nobody answers there (${error.cause?.code ?? error.message})`;
  }
  await response.body?.cancel();
  if (response.ok) return undefined;
  if (response.status === 401) return 'it does not know LIVEKIT_API_KEY with that LIVEKIT_API_SECRET';
  return `it answers ${response.status}, so it may be no LiveKit`;
}

/** An access token that may list rooms and nothing else, for a minute (JWT, RFC 7519, HS256). */
function listToken(apiKey, apiSecret) {
  const now = Math.floor(Date.now() / 1_000);
  const header = encode({ alg: 'HS256', typ: 'JWT' });
  const claims = encode({ iss: apiKey, nbf: now - 10, exp: now + 60, video: { roomList: true } });
  const signature = createHmac('sha256', apiSecret).update(`${header}.${claims}`).digest('base64url');
  return `${header}.${claims}.${signature}`;
}

function encode(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
