import { closeSync, openSync, readSync } from 'node:fs';

const POLL_MS = 300;
const CHUNK_BYTES = 64 * 1024;

/** Hands on each new line of a log that is a warning or an error, shortened, until the returned function is called. */
export function watchTroubles(logFile, fromOffset, onTrouble) {
  let offset = fromOffset;
  let rest = '';
  const look = () => {
    const { text, next } = readFrom(logFile, offset);
    offset = next;
    const lines = (rest + text).split('\n');
    rest = lines.pop().slice(-CHUNK_BYTES);
    for (const line of lines) {
      const trouble = troubleOf(line);
      if (trouble) onTrouble(trouble);
    }
  };
  const timer = setInterval(look, POLL_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    look();
  };
}

/** `warn: message` of a structured log line, the line itself if it is no JSON but looks like a crash; else undefined. */
export function troubleOf(line) {
  const entry = parse(line);
  if (!entry) return /^(\S*Error\b|Uncaught|FATAL)/.test(line) ? line.slice(0, 200) : undefined;
  const level = String(entry.level ?? '').toLowerCase();
  if (!['warn', 'warning', 'error', 'fatal'].includes(level)) return undefined;
  const session = entry.sessionId ? ` (${entry.sessionId})` : '';
  return `${level}: ${entry.message ?? entry.msg ?? ''}${session}`.slice(0, 240);
}

function parse(line) {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function readFrom(file, offset) {
  let fd;
  try {
    fd = openSync(file, 'r');
    const buffer = Buffer.alloc(CHUNK_BYTES);
    const length = readSync(fd, buffer, 0, CHUNK_BYTES, offset);
    return { text: buffer.toString('utf8', 0, length), next: offset + length };
  } catch {
    return { text: '', next: offset };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
