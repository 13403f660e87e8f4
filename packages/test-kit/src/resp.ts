import { createConnection } from 'node:net';

export type RedisReply = string | number | null | RedisReply[];

/**
 * One command on a connection of its own: what a test wants to look at, past all of our own code.
 * @throws on an error reply, a refused connection, or no answer within `timeoutMs`.
 */
export async function redisCommand(
  url: string,
  args: readonly (string | number)[],
  timeoutMs = 2_000,
): Promise<RedisReply> {
  const { hostname, port, pathname, password } = new URL(url);
  const before: string[][] = [];
  if (password) before.push(['AUTH', decodeURIComponent(password)]);
  if (pathname.length > 1) before.push(['SELECT', pathname.slice(1)]);
  const commands = [...before, args.map(String)];
  const replies = await exchange(hostname, Number(port || 6379), commands, timeoutMs);
  const error = replies.find((reply): reply is Error => reply instanceof Error);
  if (error) throw error;
  return replies.at(-1) as RedisReply;
}

function exchange(
  host: string,
  port: number,
  commands: readonly string[][],
  timeoutMs: number,
): Promise<(RedisReply | Error)[]> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port });
    let received = Buffer.alloc(0);
    const finish = (settle: () => void) => {
      socket.destroy();
      settle();
    };
    socket.setTimeout(timeoutMs, () =>
      finish(() => reject(new Error(`Redis did not answer in ${timeoutMs} ms`))),
    );
    socket.once('error', (error) => finish(() => reject(error)));
    socket.once('close', () => reject(new Error('Redis closed the connection')));
    socket.once('connect', () => socket.write(commands.map(encode).join('')));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const replies = decodeAll(received, commands.length);
      if (replies) finish(() => resolve(replies));
    });
  });
}

function encode(args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join('')}`;
}

function decodeAll(bytes: Buffer, count: number): (RedisReply | Error)[] | undefined {
  const replies: (RedisReply | Error)[] = [];
  let offset = 0;
  while (replies.length < count) {
    const decoded = decode(bytes, offset);
    if (!decoded) return undefined;
    replies.push(decoded.value);
    offset = decoded.next;
  }
  return replies;
}

interface Decoded {
  readonly value: RedisReply | Error;
  readonly next: number;
}

/** Undefined when the reply has not arrived in full. RESP2, which is what a connection without HELLO speaks. */
function decode(bytes: Buffer, offset: number): Decoded | undefined {
  const lineEnd = bytes.indexOf('\r\n', offset);
  if (lineEnd < 0) return undefined;
  const kind = String.fromCharCode(bytes[offset] ?? 0);
  const line = bytes.toString('utf8', offset + 1, lineEnd);
  const next = lineEnd + 2;
  switch (kind) {
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
      return { value: new Error(`not a Redis reply: ${kind}${line}`), next };
  }
}

function decodeBulk(bytes: Buffer, start: number, length: number): Decoded | undefined {
  if (length < 0) return { value: null, next: start };
  const end = start + length;
  return bytes.length < end + 2 ? undefined : { value: bytes.toString('utf8', start, end), next: end + 2 };
}

function decodeArray(bytes: Buffer, start: number, length: number): Decoded | undefined {
  if (length < 0) return { value: null, next: start };
  const items: RedisReply[] = [];
  let next = start;
  while (items.length < length) {
    const item = decode(bytes, next);
    if (!item) return undefined;
    items.push(item.value instanceof Error ? item.value.message : item.value);
    next = item.next;
  }
  return { value: items, next };
}
