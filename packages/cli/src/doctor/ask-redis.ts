import { createConnection } from 'node:net';
import { connect as connectTls } from 'node:tls';

export type RedisReply = string | number | null | RedisReply[] | Error;

/**
 * Sends commands over one connection and gives their replies; an error reply is an Error among them. For the few questions of
 * the doctor: state is reached through the api only.
 * @throws when there is no connection, no answer within `timeoutMs`, or the name or password is not taken
 */
export function askRedis(
  url: string,
  commands: readonly (readonly string[])[],
  timeoutMs = 3_000,
): Promise<RedisReply[]> {
  const { protocol, hostname, port, username, password, pathname } = new URL(url);
  const prelude: string[][] = [];
  if (password) {
    const names = username ? [decodeURIComponent(username)] : [];
    prelude.push(['AUTH', ...names, decodeURIComponent(password)]);
  }
  if (pathname.length > 1) prelude.push(['SELECT', pathname.slice(1)]);
  const all = [...prelude, ...commands];
  const where = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 6379) };
  return new Promise((resolve, reject) => {
    const isTls = protocol === 'rediss:';
    const socket = isTls ? connectTls({ ...where, servername: where.host }) : createConnection(where);
    let received = Buffer.alloc(0);
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(timeoutMs, () => fail(new Error(`no answer within ${timeoutMs} ms`)));
    socket.once('error', fail);
    socket.once('close', () => reject(new Error('the connection was closed')));
    socket.once(isTls ? 'secureConnect' : 'connect', () => socket.write(all.map(encode).join('')));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const replies = decodeReplies(received, all.length);
      if (replies === undefined) return;
      socket.destroy();
      const refused = replies.slice(0, prelude.length).find((reply) => reply instanceof Error);
      if (refused instanceof Error) reject(refused);
      else resolve(replies.slice(prelude.length));
    });
  });
}

function encode(args: readonly string[]): string {
  const parts = args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`);
  return `*${args.length}\r\n${parts.join('')}`;
}

/** Undefined while not all of them have arrived. */
export function decodeReplies(bytes: Buffer, count: number): RedisReply[] | undefined {
  const replies: RedisReply[] = [];
  let offset = 0;
  while (replies.length < count) {
    const decoded = decode(bytes, offset);
    if (decoded === undefined) return undefined;
    replies.push(decoded.value);
    offset = decoded.next;
  }
  return replies;
}

interface Decoded {
  readonly value: RedisReply;
  readonly next: number;
}

function decode(bytes: Buffer, offset: number): Decoded | undefined {
  const end = bytes.indexOf('\r\n', offset);
  if (end < 0) return undefined;
  const line = bytes.toString('utf8', offset + 1, end);
  const next = end + 2;
  switch (String.fromCharCode(bytes[offset] ?? 0)) {
    case '+':
      return { value: line, next };
    case '-':
      return { value: new Error(line), next };
    case ':':
      return { value: Number(line), next };
    case '$':
      return decodeBulk(bytes, next, Number(line));
    case '*':
      return decodeArray(bytes, next, Number(line));
    default:
      return { value: new Error('it answers, but is no Redis'), next: bytes.length };
  }
}

function decodeBulk(bytes: Buffer, start: number, length: number): Decoded | undefined {
  if (length < 0) return { value: null, next: start };
  const end = start + length;
  return bytes.length < end + 2 ? undefined : { value: bytes.toString('utf8', start, end), next: end + 2 };
}

function decodeArray(bytes: Buffer, start: number, length: number): Decoded | undefined {
  const value: RedisReply[] = [];
  let next = start;
  while (value.length < length) {
    const item = decode(bytes, next);
    if (item === undefined) return undefined;
    value.push(item.value);
    next = item.next;
  }
  return { value, next };
}
