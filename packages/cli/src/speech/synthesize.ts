import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { decodeWav, type Pcm } from './wav.js';

/** Programs that speak, in the order of how well they are understood. */
const ENGINES = [
  { program: 'flite', args: (text: string, file: string) => ['-voice', 'rms', '-t', text, '-o', file] },
  {
    program: 'espeak-ng',
    // Of its voices the one that the reference agent understands best, by far.
    args: (text: string, file: string) => ['-v', 'en-us+f3', '-s', '160', '-w', file, text],
  },
] as const;

/** Speaks a text with whichever program this machine has. @throws Error that says what to install */
export async function synthesize(text: string): Promise<Pcm> {
  const folder = await mkdtemp(path.join(tmpdir(), 'greenroom-call-'));
  try {
    const file = path.join(folder, 'speech.wav');
    for (const { program, args } of ENGINES) {
      if (await runs(program, args(text, file))) return decodeWav(await readFile(file));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  throw new Error('Nothing here can speak. Install flite or espeak-ng, or give a recording with --wav.');
}

async function runs(program: string, args: string[]): Promise<boolean> {
  const child = spawn(program, args, { stdio: 'ignore' });
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    return code === 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
