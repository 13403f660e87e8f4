import { createConnection } from 'node:net';
import { connect as connectTls } from 'node:tls';

/**
 * Sends commands over one connection and gives their replies; an error reply is an Error among them.
 * For the few questions of these scripts, which run before any package is installed.
 * @throws when there is no connection, or no answer within `timeoutMs`
 */
export function askRedis(url, commands, { timeoutMs = 3_000 } = {}) {
  const { protocol, hostname, port, username, password, pathname } = new URL(url);
  const prelude = [];
  if (password)
    prelude.push(['AUTH', ...(username ? [decodeURIComponent(username)] : []), decodeURIComponent(password)]);
  if (pathname.length > 1) prelude.push(['SELECT', pathname.slice(1)]);
  const all = [...prelude, ...commands];
  const where = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 6379) };
  const tls = protocol === 'rediss:';
  return new Promise((resolve, reject) => {
    const socket = tls ? connectTls({ ...where, servername: where.host }) : createConnection(where);
    let received = Buffer.alloc(0);
    const fail = (error) => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(timeoutMs, () => fail(new Error(`no answer within ${timeoutMs} ms`)));
    socket.once('error', fail);
    socket.once('close', () => reject(new Error('the connection was closed')));
    socket.once(tls ? 'secureConnect' : 'connect', () => socket.write(all.map(encode).join('')));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const replies = decodeReplies(received, all.length);
      if (!replies) return;
      socket.destroy();
      const refused = replies.slice(0, prelude.length).find((reply) => reply instanceof Error);
      if (refused) reject(refused);
      else resolve(replies.slice(prelude.length));
    });
  });
}

function encode(args) {
  const parts = args.map((arg) => `$${Buffer.byteLength(String(arg))}\r\n${arg}\r\n`);
  return `*${args.length}\r\n${parts.join('')}`;
}

/** Undefined while not all of them have arrived. */
export function decodeReplies(bytes, count) {
  const replies = [];
  let offset = 0;
  while (replies.length < count) {
    const decoded = decode(bytes, offset);
    if (!decoded) return undefined;
    replies.push(decoded.value);
    offset = decoded.next;
  }
  return replies;
}

function decode(bytes, offset) {
  const end = bytes.indexOf('\r\n', offset);
  if (end < 0) return undefined;
  const line = bytes.toString('utf8', offset + 1, end);
  const next = end + 2;
  switch (String.fromCharCode(bytes[offset])) {
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
      return { value: new Error('this is no Redis'), next: bytes.length };
  }
}

function decodeBulk(bytes, start, length) {
  if (length < 0) return { value: null, next: start };
  const end = start + length;
  return bytes.length < end + 2 ? undefined : { value: bytes.toString('utf8', start, end), next: end + 2 };
}

function decodeArray(bytes, start, length) {
  if (length < 0) return { value: null, next: start };
  const value = [];
  let next = start;
  while (value.length < length) {
    const item = decode(bytes, next);
    if (!item) return undefined;
    value.push(item.value);
    next = item.next;
  }
  return { value, next };
}
