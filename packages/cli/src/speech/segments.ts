import type { Pcm } from './wav.js';

/** A stretch of speech, in milliseconds from the beginning of the recording. */
export interface Segment {
  startMs: number;
  endMs: number;
}

const FRAME_MS = 20;
/** Root mean square of 16-bit samples; speech lies in the thousands, the noise of a codec in the tens. */
const LOUD_RMS = 200;
/** A pause between words. */
const JOIN_MS = 400;
/** Shorter ones are clicks. */
const MIN_MS = 100;

export function isLoud(samples: Int16Array): boolean {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return samples.length > 0 && Math.sqrt(sum / samples.length) > LOUD_RMS;
}

/** Where somebody speaks, by energy. */
export function findSpeech({ samples, sampleRate }: Pcm): Segment[] {
  const frame = Math.floor((sampleRate * FRAME_MS) / 1000);
  const segments: Segment[] = [];
  for (let at = 0; at + frame <= samples.length; at += frame) {
    if (!isLoud(samples.subarray(at, at + frame))) continue;
    const startMs = (at / sampleRate) * 1000;
    const endMs = startMs + FRAME_MS;
    const last = segments.at(-1);
    if (last && startMs - last.endMs <= JOIN_MS) last.endMs = endMs;
    else segments.push({ startMs, endMs });
  }
  return segments
    .filter((segment) => segment.endMs - segment.startMs >= MIN_MS)
    .map((segment) => ({ startMs: Math.round(segment.startMs), endMs: Math.round(segment.endMs) }));
}
