/** Mono 16-bit sound. */
export interface Pcm {
  readonly samples: Int16Array;
  readonly sampleRate: number;
}

/**
 * Reads a RIFF WAVE file of 16-bit PCM; several channels are averaged into one. A data length of 0 or beyond the end,
 * as programs write that could not seek back, means "all that follows".
 * @throws on anything else.
 */
export function parseWav(bytes: Buffer): Pcm {
  if (
    bytes.length < 12 ||
    bytes.toString('latin1', 0, 4) !== 'RIFF' ||
    bytes.toString('latin1', 8, 12) !== 'WAVE'
  ) {
    throw new Error('not a WAV file');
  }
  let format: { channels: number; sampleRate: number } | undefined;
  for (let offset = 12; offset + 8 <= bytes.length; ) {
    const id = bytes.toString('latin1', offset, offset + 4);
    const length = bytes.readUInt32LE(offset + 4);
    const body = offset + 8;
    if (id === 'fmt ') format = parseFormat(bytes.subarray(body, body + length));
    if (id === 'data') {
      if (!format) throw new Error('a WAV file whose data comes before its format');
      const end = length === 0 ? bytes.length : Math.min(body + length, bytes.length);
      return { samples: toMono(bytes.subarray(body, end), format.channels), sampleRate: format.sampleRate };
    }
    offset = body + length + (length % 2);
  }
  throw new Error('a WAV file without data');
}

function parseFormat(chunk: Buffer): { channels: number; sampleRate: number } {
  const encoding = chunk.readUInt16LE(0);
  const bits = chunk.readUInt16LE(14);
  const isPcm = encoding === 1 || encoding === 0xfffe;
  if (!isPcm || bits !== 16)
    throw new Error(`only 16-bit PCM WAV is understood, not format ${encoding} with ${bits} bits`);
  return { channels: chunk.readUInt16LE(2), sampleRate: chunk.readUInt32LE(4) };
}

function toMono(data: Buffer, channels: number): Int16Array {
  const samples = new Int16Array(Math.floor(data.length / (2 * channels)));
  for (let index = 0; index < samples.length; index += 1) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel += 1)
      sum += data.readInt16LE((index * channels + channel) * 2);
    samples[index] = Math.round(sum / channels);
  }
  return samples;
}
