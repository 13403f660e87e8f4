import { randomUUID } from 'node:crypto';
import { type APIConnectOptions, tts } from '@livekit/agents';
import { AudioFrame } from '@livekit/rtc-node';
import type { SpeechPrograms } from './programs.js';
import { synthesize } from './synthesize.js';
import { chooseVoice, type EngineVoice, type VoiceId } from './voices.js';
import type { Pcm } from './wav.js';

/** Most of our voices speak at this rate; the framework resamples the others. */
const SAMPLE_RATE = 16_000;
const FRAME_MS = 100;

/** Speaks with flite or espeak-ng: a plugin of LiveKit Agents like those of the cloud services. */
export class LocalTts extends tts.TTS {
  label = 'greenroom.LocalTts';
  readonly #programs: SpeechPrograms;
  #voice: EngineVoice;

  /** @throws when no speech program is installed. */
  constructor(programs: SpeechPrograms, voice: VoiceId) {
    super(SAMPLE_RATE, 1, { streaming: false });
    this.#programs = programs;
    this.#voice = chooseVoice(voice, programs);
  }

  /** From the next sentence on. */
  setVoice(voice: VoiceId): void {
    this.#voice = chooseVoice(voice, this.#programs);
  }

  override get provider(): string {
    return this.#voice.engine;
  }

  override get model(): string {
    return this.#voice.voice;
  }

  synthesize(text: string, connOptions?: APIConnectOptions, abortSignal?: AbortSignal): tts.ChunkedStream {
    return new LocalSpeech(this, this.#voice, text, connOptions, abortSignal);
  }

  stream(): tts.SynthesizeStream {
    throw new Error('the framework streams sentence by sentence through its adapter');
  }
}

class LocalSpeech extends tts.ChunkedStream {
  label = 'greenroom.LocalSpeech';
  readonly #voice: EngineVoice;

  constructor(
    plugin: LocalTts,
    voice: EngineVoice,
    text: string,
    connOptions?: APIConnectOptions,
    abortSignal?: AbortSignal,
  ) {
    super(text, plugin, connOptions, abortSignal);
    this.#voice = voice;
  }

  protected async run(): Promise<void> {
    const speech = await this.#synthesize();
    if (speech === undefined) return;
    const { samples, sampleRate } = speech;
    const requestId = randomUUID();
    const frameLength = (sampleRate * FRAME_MS) / 1000;
    for (let start = 0; start < samples.length; start += frameLength) {
      if (this.abortSignal.aborted) return;
      const part = samples.slice(start, start + frameLength);
      this.queue.put({
        requestId,
        segmentId: requestId,
        frame: new AudioFrame(part, sampleRate, 1, part.length),
        final: start + frameLength >= samples.length,
      });
    }
  }

  /**
   * A caller who speaks or types into a sentence takes it back before it is there. That is no error: the framework would tell it to
   * whoever listens for errors of a voice, and when the sentence is given up nobody does, which ends the process.
   * @returns undefined when nobody wants it any more
   */
  async #synthesize(): Promise<Pcm | undefined> {
    try {
      return await synthesize(this.inputText, this.#voice, this.abortSignal);
    } catch (error) {
      if (this.abortSignal.aborted) return undefined;
      throw error;
    }
  }
}
