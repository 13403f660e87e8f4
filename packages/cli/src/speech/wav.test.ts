import { describe, expect, test } from '@jest/globals';
import { findSpeech } from './segments.js';
import { decodeWav, encodeWav, resample } from './wav.js';

const RATE = 16_000;

function tone(ms: number, amplitude: number): Int16Array {
  return Int16Array.from({ length: (RATE * ms) / 1000 }, (_, i) => Math.round(amplitude * Math.sin(i / 5)));
}

function join(...parts: Int16Array[]): Int16Array {
  return Int16Array.from(parts.flatMap((part) => [...part]));
}

describe('WAV', () => {
  test('what is written is read again', () => {
    const samples = Int16Array.from([0, 1, -1, 32767, -32768]);
    expect(decodeWav(encodeWav({ samples, sampleRate: RATE }))).toEqual({ samples, sampleRate: RATE });
  });

  test('a size that was never filled in means all that follows', () => {
    const file = encodeWav({ samples: Int16Array.from([5, 6, 7]), sampleRate: RATE });
    for (const unknown of [0, 0xffffffff]) {
      file.writeUInt32LE(unknown, 40);
      expect([...decodeWav(file).samples]).toEqual([5, 6, 7]);
    }
  });

  test('other files are refused with a sentence', () => {
    expect(() => decodeWav(Buffer.from('hello there, this is text'))).toThrow('This is no WAV file.');
    expect(() => decodeWav(Buffer.alloc(0))).toThrow('This is no WAV file.');
  });

  test('resampling keeps the length in time', () => {
    expect(resample({ samples: tone(500, 1000), sampleRate: RATE }, 48_000).samples).toHaveLength(24_000);
  });
});

describe('speech is found by energy', () => {
  test('with its beginning and end, and words joined over short pauses', () => {
    const samples = join(
      tone(500, 0),
      tone(300, 8000),
      tone(200, 0),
      tone(300, 8000),
      tone(1000, 5),
      tone(400, 8000),
    );
    expect(findSpeech({ samples, sampleRate: RATE })).toEqual([
      { startMs: 500, endMs: 1300 },
      { startMs: 2300, endMs: 2700 },
    ]);
  });

  test('neither silence, nor noise, nor a click is speech', () => {
    const samples = join(tone(1000, 0), tone(1000, 50), tone(20, 20_000), tone(1000, 0));
    expect(findSpeech({ samples, sampleRate: RATE })).toEqual([]);
  });
});
