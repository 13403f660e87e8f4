/** Mono 16-bit sound. */
export interface Pcm {
  readonly samples: Int16Array;
  /** Hertz. */
  readonly sampleRate: number;
}

const HEADER_BYTES = 44;

/**
 * Reads a RIFF WAVE file of 16-bit PCM; of several channels the first is taken.
 * @throws Error for anything else
 */
export function decodeWav(file: Buffer): Pcm {
  if (file.toString('latin1', 0, 4) !== 'RIFF' || file.toString('latin1', 8, 12) !== 'WAVE') {
    throw new Error('This is no WAV file.');
  }
  let format: { channels: number; sampleRate: number } | undefined;
  let at = 12;
  while (at + 8 <= file.length) {
    const name = file.toString('latin1', at, at + 4);
    const size = file.readUInt32LE(at + 4);
    const start = at + 8;
    if (name === 'fmt ') {
      if (file.readUInt16LE(start + 14) !== 16)
        throw new Error('Only WAV files of 16-bit PCM can be played.');
      format = { channels: file.readUInt16LE(start + 2), sampleRate: file.readUInt32LE(start + 4) };
    }
    if (name === 'data') {
      if (format === undefined) throw new Error('This WAV file has its sound before its format.');
      // Programs that write to a pipe cannot know the size and leave 0 or 2^32 - 1.
      const end = size === 0 ? file.length : Math.min(start + size, file.length);
      return {
        samples: firstChannel(file.subarray(start, end), format.channels),
        sampleRate: format.sampleRate,
      };
    }
    at = start + size + (size % 2);
  }
  throw new Error('This WAV file has no sound in it.');
}

function firstChannel(data: Buffer, channels: number): Int16Array {
  const samples = new Int16Array(Math.floor(data.length / 2 / channels));
  for (let i = 0; i < samples.length; i += 1) samples[i] = data.readInt16LE(i * 2 * channels);
  return samples;
}

export function encodeWav({ samples, sampleRate }: Pcm): Buffer {
  const bytes = samples.length * 2;
  const file = Buffer.alloc(HEADER_BYTES + bytes);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(HEADER_BYTES - 8 + bytes, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(sampleRate, 24);
  file.writeUInt32LE(sampleRate * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(bytes, 40);
  Buffer.from(samples.buffer, samples.byteOffset, bytes).copy(file, HEADER_BYTES);
  return file;
}

/** To another rate by straight lines between samples: enough for speech. */
export function resample({ samples, sampleRate }: Pcm, targetRate: number): Pcm {
  if (sampleRate === targetRate) return { samples, sampleRate };
  const length = Math.floor((samples.length * targetRate) / sampleRate);
  const target = new Int16Array(length);
  for (let i = 0; i < length; i += 1) {
    const position = (i * sampleRate) / targetRate;
    const left = Math.floor(position);
    const a = samples[left] ?? 0;
    const b = samples[left + 1] ?? a;
    target[i] = Math.round(a + (b - a) * (position - left));
  }
  return { samples: target, sampleRate: targetRate };
}
