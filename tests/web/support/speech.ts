import { readFile, writeFile } from 'node:fs/promises';
import { baseEnvironment, startProcess } from '@greenroom/test-kit';

const RATE = 16_000;
const HEADER_BYTES = 44;

export interface SpeechOptions {
  /** Silence before and after the words. A microphone begins to play when it is opened, and begins again at the end. */
  readonly beforeMs?: number;
  readonly afterMs?: number;
}

/** Somebody says `words` (flite, without any cloud): a WAV file for the microphone of a browser. */
export async function speakToFile(file: string, words: string, options: SpeechOptions = {}): Promise<string> {
  const { beforeMs = 4_000, afterMs = 40_000 } = options;
  const spoken = `${file}.words.wav`;
  const speaking = await startProcess({
    command: 'flite',
    args: ['-voice', 'slt', '-t', words, '-o', spoken],
    env: baseEnvironment(),
  });
  const { code } = await speaking.exited;
  if (code !== 0) throw new Error(`flite failed (${code}): ${speaking.output()}`);
  const samples = (await readFile(spoken)).subarray(HEADER_BYTES);
  await writeFile(file, wav(Buffer.concat([silence(beforeMs), samples, silence(afterMs)])));
  return file;
}

function silence(ms: number): Buffer {
  return Buffer.alloc(Math.round((RATE * ms) / 1_000) * 2);
}

/** 16 bit, one channel. */
function wav(data: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + data.length, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(RATE, 24);
  header.writeUInt32LE(RATE * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(data.length, 40);
  return Buffer.concat([header, data]);
}
