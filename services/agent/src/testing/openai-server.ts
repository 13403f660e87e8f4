import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface OpenaiServer {
  /** For OPENAI_BASE_URL. */
  readonly url: string;
  /** `METHOD path` of what was asked. */
  readonly asked: string[];
  /** Messages of the latest chat. */
  lastMessages(): { role: string; content: unknown }[];
  stop(): Promise<void>;
}

/**
 * Speaks OpenAI's protocol as far as the plugins use it; the one service here that can't be run for real. It hears
 * "cloud words" in any sound, answers `You said: …`, and calls `end_call` when told goodbye.
 */
export async function startOpenaiServer(): Promise<OpenaiServer> {
  const asked: string[] = [];
  let messages: { role: string; content: unknown }[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    void readBody(request).then((body) => {
      if (request.url === '/v1/audio/speech') return sendTone(response);
      if (request.url === '/v1/audio/transcriptions') return sendJson(response, { text: 'cloud words' });
      if (request.url !== '/v1/chat/completions') return sendJson(response, { data: [] });
      messages = (JSON.parse(body) as { messages: typeof messages }).messages;
      return sendChat(response, messages);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    lastMessages: () => messages,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function sendChat(response: ServerResponse, messages: { role: string; content: unknown }[]): void {
  const last = messages.at(-1);
  const text = JSON.stringify(last?.content ?? '');
  const delta =
    last?.role === 'tool'
      ? { content: 'So long.' }
      : /goodbye/i.test(text)
        ? {
            tool_calls: [
              { index: 0, id: 'call_1', type: 'function', function: { name: 'end_call', arguments: '{}' } },
            ],
          }
        : { content: `You said: ${text.replace(/[^a-z ]/gi, '')}.` };
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const choice of [
    { index: 0, delta: { role: 'assistant', ...delta }, finish_reason: null },
    { index: 0, delta: {}, finish_reason: 'tool_calls' in delta ? 'tool_calls' : 'stop' },
  ]) {
    const chunk = {
      id: 'chat_1',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'test',
      choices: [choice],
    };
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  }
  response.end('data: [DONE]\n\n');
}

/** A second of 24 kHz PCM. */
function sendTone(response: ServerResponse): void {
  const samples = Int16Array.from({ length: 24_000 }, (_, index) => Math.round(8_000 * Math.sin(index / 8)));
  response.writeHead(200, { 'content-type': 'audio/pcm' });
  response.end(Buffer.from(samples.buffer));
}

function sendJson(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
