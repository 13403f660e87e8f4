import { readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { initializeLogger } from '@livekit/agents';
import { PHRASES } from '../conversation/commands.js';
import { LocalTts } from './local-tts.js';
import { findSpeechPrograms } from './programs.js';
import { PhraseRecognizer } from './recognize.js';
import { synthesize } from './synthesize.js';
import { chooseVoice, parseVoiceId } from './voices.js';
import type { Pcm } from './wav.js';

// The real programs, as `npm test` installs them.
const programs = findSpeechPrograms(process.env['PATH'] ?? '');
const RATE = 16_000;

/** From this value on a sample is speech. */
const LOUD = 300;
const VOICES = ['slt', 'rms', 'awb'] as const;

/** The first `ms` of what is said at that part of their loudness. */
function damageBeginning({ samples, sampleRate }: Pcm, ms: number, loudness: number): Pcm {
  const begin = samples.findIndex((sample) => Math.abs(sample) >= LOUD);
  const end = begin + (ms * sampleRate) / 1000;
  return {
    sampleRate,
    samples: samples.map((sample, at) => (at < end ? Math.round(sample * loudness) : sample)),
  };
}

function withSilence({ samples }: Pcm): Int16Array {
  const padded = new Int16Array(samples.length + RATE);
  padded.set(samples, RATE / 2);
  return padded;
}

describe('speaking', () => {
  test.each(['slt', 'rms', 'kal', 'awb', 'en-us', 'en-gb'] as const)('in voice %s', async (voice) => {
    const { samples, sampleRate } = await synthesize('Hello Ada, how are you?', chooseVoice(voice, programs));
    const seconds = samples.length / sampleRate;
    expect(seconds).toBeGreaterThan(1);
    expect(seconds).toBeLessThan(4);
    expect(Math.max(...samples)).toBeGreaterThan(2_000);
  });

  test('leaves nothing behind, aborted or not', async () => {
    const before = openFiles();
    const stop = new AbortController();
    const slow = synthesize('a long sentence '.repeat(500), chooseVoice('slt', programs), stop.signal);
    setTimeout(() => stop.abort(), 30);
    await expect(slow).rejects.toThrow();
    await synthesize('short', chooseVoice('en-us', programs));
    expect(openFiles()).toBe(before);
    expect(readdirSync('/dev/shm').filter((name) => name.startsWith('greenroom-'))).toEqual([]);
  });
});

test('a sentence that is taken back before it is there is no error, which would end the agent', async () => {
  initializeLogger({ pretty: false, level: 'error' });
  const voice = new LocalTts(programs, 'slt');
  const errors: unknown[] = [];
  voice.on('error', (error) => errors.push(error));
  for (const afterMs of [0, 30]) {
    const stop = new AbortController();
    const speech = voice.synthesize('a long sentence '.repeat(500), undefined, stop.signal);
    setTimeout(() => stop.abort(), afterMs);
    for await (const _part of speech) expect(stop.signal.aborted).toBe(false);
  }
  expect(errors).toEqual([]);
});

describe('listening', () => {
  if (!programs.recognizer) throw new Error('pocketsphinx and pocketsphinx-en-us are needed for these tests');
  const recognizer = new PhraseRecognizer(programs.recognizer, Object.values(PHRASES).flat());

  test.each([
    'what time is it',
    'repeat that',
    'what is my name',
    'hold on',
    'goodbye',
    'help',
    'what day is it',
  ])('understands "%s" in several voices', async (phrase) => {
    for (const voice of VOICES) {
      const sound = withSilence(await synthesize(phrase, chooseVoice(voice, programs)));
      expect(await recognizer.recognize(sound)).toEqual({
        kind: 'phrase',
        words: expect.stringContaining(phrase),
      });
    }
  });

  test.each([
    { ms: 100, loudness: 0.1 },
    { ms: 200, loudness: 0.1 },
    { ms: 60, loudness: 0 },
  ])('a goodbye with its first $ms ms at $loudness of their loudness is no bye', async ({ ms, loudness }) => {
    for (const voice of VOICES) {
      const whole = await synthesize('goodbye', chooseVoice(voice, programs));
      const sound = withSilence(damageBeginning(whole, ms, loudness));
      expect([voice, await recognizer.recognize(sound)]).toEqual([
        voice,
        { kind: 'phrase', words: 'goodbye' },
      ]);
    }
  });

  test('a bye is a bye', async () => {
    for (const voice of VOICES) {
      const sound = withSilence(await synthesize('bye', chooseVoice(voice, programs)));
      expect(await recognizer.recognize(sound)).toEqual({ kind: 'phrase', words: 'bye' });
    }
  });

  test.each([
    'where is the nearest hospital',
    'my back hurts since yesterday',
    'book an appointment for monday',
  ])('does not take "%s" for a command', async (sentence) => {
    const sound = withSilence(await synthesize(sentence, chooseVoice('slt', programs)));
    expect(await recognizer.recognize(sound)).toEqual({ kind: 'other' });
  });

  test('hears nothing in silence', async () => {
    expect(await recognizer.recognize(new Int16Array(RATE))).toEqual({ kind: 'silence' });
  });
});

describe('voices', () => {
  test('ids are found in any case, aliases too', () => {
    expect([parseVoiceId(' SLT '), parseVoiceId('scottish'), parseVoiceId('constructor')]).toEqual([
      'slt',
      'awb',
      undefined,
    ]);
  });

  test('one missing program is made up for by the other, both are an error', () => {
    const none = { flite: undefined, espeak: undefined, recognizer: undefined };
    expect(chooseVoice('slt', { ...none, espeak: '/e' })).toMatchObject({
      engine: 'espeak',
      voice: 'en-us+f3',
    });
    expect(chooseVoice('en-gb', { ...none, flite: '/f' })).toMatchObject({ engine: 'flite', voice: 'slt' });
    expect(() => chooseVoice('slt', none)).toThrow(/install flite or espeak-ng/);
  });
});

function openFiles(): number {
  return readdirSync('/proc/self/fd').length;
}
