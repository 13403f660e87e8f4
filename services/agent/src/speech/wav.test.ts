import { describe, expect, test } from '@jest/globals';
import { parseWav } from './wav.js';

function wav({
  channels = 1,
  bits = 16,
  encoding = 1,
  dataLength,
  samples = [1, -2, 3, -4],
  extra = '',
}: {
  channels?: number;
  bits?: number;
  encoding?: number;
  dataLength?: number;
  samples?: number[];
  extra?: string;
} = {}): Buffer {
  const format = Buffer.alloc(24);
  format.write('fmt ', 'latin1');
  format.writeUInt32LE(16, 4);
  format.writeUInt16LE(encoding, 8);
  format.writeUInt16LE(channels, 10);
  format.writeUInt32LE(16_000, 12);
  format.writeUInt16LE(bits, 22);
  const data = Buffer.alloc(8 + samples.length * 2);
  data.write('data', 'latin1');
  data.writeUInt32LE(dataLength ?? samples.length * 2, 4);
  samples.forEach((sample, index) => data.writeInt16LE(sample, 8 + index * 2));
  return Buffer.concat([
    Buffer.from('RIFF\0\0\0\0WAVE', 'latin1'),
    format,
    Buffer.from(extra, 'latin1'),
    data,
  ]);
}

describe('parseWav', () => {
  test('reads samples and rate', () => {
    expect(parseWav(wav())).toEqual({ samples: Int16Array.from([1, -2, 3, -4]), sampleRate: 16_000 });
  });

  test('averages channels', () => {
    expect([...parseWav(wav({ channels: 2, samples: [10, 20, -4, -8] })).samples]).toEqual([15, -6]);
  });

  test.each([0, 0x7fff_f000])('takes a data length of %i for "until the end"', (dataLength) => {
    expect(parseWav(wav({ dataLength })).samples).toHaveLength(4);
  });

  test('skips chunks it does not know, odd ones with their padding', () => {
    expect(parseWav(wav({ extra: 'LIST\x03\0\0\0abc\0' })).samples).toHaveLength(4);
  });

  test.each([
    [Buffer.from('hello'), /not a WAV/],
    [wav().subarray(0, 36), /without data/],
    [wav({ bits: 8 }), /16-bit/],
    [wav({ encoding: 3 }), /16-bit/],
  ])('refuses what it can not play', (bytes, message) => {
    expect(() => parseWav(bytes)).toThrow(message);
  });
});
