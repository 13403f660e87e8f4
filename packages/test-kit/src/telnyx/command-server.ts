import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PhoneCall } from './phone-call.js';
import type { CommandFault, ReceivedCommand } from './types.js';

/** How long Telnyx remembers a command_id of a call. */
const REMEMBERED_MS = 60_000;
const COMMAND = /^\/v2\/calls\/([^/]+)\/actions\/([a-z_]+)$/;

/** What needs a call that was answered. */
const BEFORE_ANSWER: ReadonlySet<string> = new Set(['answer', 'reject', 'hangup', 'transfer']);
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  speak: ['payload', 'voice'],
  playback_start: ['audio_url'],
  transfer: ['to'],
};

interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly title: string;
}

export interface CommandServerOptions {
  readonly apiKey: string;
  readonly findCall: (id: string) => PhoneCall | undefined;
  /** Asked once a command. */
  readonly faultFor: (call: PhoneCall, action: string) => CommandFault | undefined;
}

/** The part of Telnyx that takes commands for calls, over HTTP. */
export async function startCommandServer(options: CommandServerOptions): Promise<{
  readonly url: string;
  readonly stop: () => Promise<void>;
}> {
  const server = createServer((request, response) => {
    takeCommand(options, request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2`,
    stop: () => stopServer(server),
  };
}

async function takeCommand(
  { apiKey, findCall, faultFor }: CommandServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const at = Date.now();
  const body = parseBody(await readText(request));
  if (request.headers.authorization !== `Bearer ${apiKey}`) {
    return refuse(response, { status: 401, code: '10009', title: 'Authentication failed' });
  }
  const [, encodedId, action = ''] = COMMAND.exec(request.url ?? '') ?? [];
  if (encodedId === undefined || request.method !== 'POST') return refuse(response, NOT_FOUND);
  const id = decodeURIComponent(encodedId);
  const call = findCall(id);
  if (!call) return refuse(response, /^v[23]:/.test(id) ? NOT_FOUND : INVALID_ID);
  const commandId = typeof body?.command_id === 'string' ? body.command_id : undefined;
  const about = { action, commandId, body: body ?? {}, at };

  const fault = faultFor(call, action);
  if (fault?.kind === 'hang') return call.noteCommand({ ...about, outcome: 'hung' });
  if (fault?.kind === 'cut') {
    call.noteCommand({ ...about, outcome: 'failed' });
    return void response.destroy();
  }
  if (fault?.kind === 'fail') {
    call.noteCommand({ ...about, outcome: 'failed' });
    return refuse(response, { status: fault.status ?? 500, code: '10007', title: 'Unexpected error' });
  }
  if (fault?.kind === 'slow') await sleep(fault.ms);
  const refusal = body === undefined ? MALFORMED : refusalOf(call, about);
  if (refusal) {
    call.noteCommand({ ...about, outcome: 'refused' });
    return refuse(response, refusal);
  }
  const command: ReceivedCommand = { ...about, outcome: isDoubled(call, about) ? 'duplicate' : 'done' };
  call.noteCommand(command);
  if (command.outcome === 'done') call.carryOut(command);
  if (fault?.kind === 'lose') response.destroy();
  else if (fault?.kind === 'stall')
    response.writeHead(200, { 'content-type': 'application/json' }).write('{');
  else answer(response, 200, { data: { result: 'ok' } });
}

const NOT_FOUND: Refusal = { status: 404, code: '10005', title: 'Resource not found' };
const INVALID_ID: Refusal = { status: 422, code: '90015', title: 'Invalid Call Control ID' };
const MALFORMED: Refusal = { status: 400, code: '10015', title: 'Bad Request' };
const HAS_ENDED: Refusal = { status: 422, code: '90018', title: 'Call has already ended' };
const NOT_ANSWERED: Refusal = { status: 422, code: '90034', title: 'Call not answered yet' };
const MISSING: Refusal = { status: 422, code: '10004', title: 'Missing required parameter' };

type Asked = Omit<ReceivedCommand, 'outcome'>;

function refusalOf(call: PhoneCall, { action, body }: Asked): Refusal | undefined {
  if (call.status === 'ended') return HAS_ENDED;
  if (call.status === 'ringing' && !BEFORE_ANSWER.has(action)) return NOT_ANSWERED;
  const isComplete = (REQUIRED[action] ?? []).every(
    (name) => typeof body[name] === 'string' && body[name] !== '',
  );
  return isComplete ? undefined : MISSING;
}

function isDoubled(call: PhoneCall, { commandId, at }: Asked): boolean {
  if (commandId === undefined) return false;
  return call.commands().some((it) => it.commandId === commandId && at - it.at < REMEMBERED_MS);
}

function refuse(response: ServerResponse, { status, code, title }: Refusal): void {
  answer(response, status, { errors: [{ code, title, detail: title }] });
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** Undefined where it is no JSON object; no body is an empty one. */
function parseBody(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = text === '' ? {} : JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

async function stopServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
