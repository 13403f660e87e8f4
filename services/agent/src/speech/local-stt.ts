import { type AudioBuffer, asLanguageCode, mergeFrames, stt } from '@livekit/agents';
import { type AudioFrame, AudioResampler } from '@livekit/rtc-node';
import { PhraseRecognizer, RECOGNITION_RATE } from './recognize.js';
import type { Recognizer } from './programs.js';

/** Listens with pocketsphinx: a plugin of LiveKit Agents like those of the cloud services. */
export class LocalStt extends stt.STT {
  label = 'greenroom.LocalStt';
  readonly #phrases: PhraseRecognizer;
  readonly #unclear: string;

  /** @param unclear what to report for speech that is none of the phrases. */
  constructor(recognizer: Recognizer, phrases: readonly string[], unclear: string) {
    super({ streaming: false, interimResults: false });
    this.#phrases = new PhraseRecognizer(recognizer, phrases);
    this.#unclear = unclear;
  }

  override get provider(): string {
    return 'pocketsphinx';
  }

  protected async _recognize(sound: AudioBuffer, abortSignal?: AbortSignal): Promise<stt.SpeechEvent> {
    const samples = atRecognitionRate(mergeFrames(sound));
    const hypothesis = await this.#phrases.recognize(samples, abortSignal);
    return {
      type: stt.SpeechEventType.FINAL_TRANSCRIPT,
      alternatives: [
        {
          text: this.#textOf(hypothesis),
          language: asLanguageCode('en'),
          startTime: 0,
          endTime: samples.length / RECOGNITION_RATE,
          confidence: hypothesis.kind === 'phrase' ? 1 : 0,
        },
      ],
    };
  }

  stream(): stt.SpeechStream {
    throw new Error('the framework cuts the sound into utterances through its adapter');
  }

  override async close(): Promise<void> {
    this.#phrases.close();
  }

  #textOf(hypothesis: Awaited<ReturnType<PhraseRecognizer['recognize']>>): string {
    switch (hypothesis.kind) {
      case 'phrase':
        return hypothesis.words;
      case 'other':
        return this.#unclear;
      case 'silence':
        return '';
    }
  }
}

function atRecognitionRate(frame: AudioFrame): Int16Array {
  if (frame.sampleRate === RECOGNITION_RATE) return frame.data;
  const resampler = new AudioResampler(frame.sampleRate, RECOGNITION_RATE, frame.channels);
  const parts = [...resampler.push(frame), ...resampler.flush()].map((part) => part.data);
  resampler.close();
  const samples = new Int16Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    samples.set(part, offset);
    offset += part.length;
  }
  return samples;
}
