import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const TONE_RATE = 24_000;

export interface MuteMind {
  /** For OPENAI_BASE_URL. */
  readonly url: string;
  /** How long everything takes that it speaks, whatever the text. */
  readonly toneMs: number;
  stop(): Promise<void>;
}

/**
 * Hears and speaks as OpenAI does, as far as the reference agent asks, but takes every question and never answers: its agent is
 * frozen, and can say what it is told to say all the same.
 */
export async function startMuteMind({ toneMs = 1000 } = {}): Promise<MuteMind> {
  const server = createServer((request, response) => answer(request, response, toneMs));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    toneMs,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function answer(request: IncomingMessage, response: ServerResponse, toneMs: number): void {
  request.resume();
  if (request.url === '/v1/chat/completions') return;
  if (request.url === '/v1/audio/speech') {
    response.writeHead(200, { 'content-type': 'audio/pcm' }).end(tone(toneMs));
    return;
  }
  const heard = request.url === '/v1/audio/transcriptions' ? { text: 'my head hurts' } : { data: [] };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(heard));
}

function tone(ms: number): Buffer {
  const samples = Int16Array.from({ length: (TONE_RATE * ms) / 1000 }, (_, at) =>
    Math.round(8_000 * Math.sin(at / 8)),
  );
  return Buffer.from(samples.buffer);
}
