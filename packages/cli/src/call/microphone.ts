import {
  AudioFrame,
  AudioSource,
  LocalAudioTrack,
  type Room,
  TrackPublishOptions,
  TrackSource,
} from '@livekit/rtc-node';
import { type Pcm, resample } from '../speech/wav.js';

const SAMPLE_RATE = 48_000;
const FRAME_SAMPLES = SAMPLE_RATE / 50;
/** Sound that waits to be sent; long enough to ride out a busy machine. Milliseconds. */
const QUEUE_MS = 200;

/** A microphone that is never off: it sends silence between utterances, as a real one does. */
export class Microphone {
  readonly #source = new AudioSource(SAMPLE_RATE, 1, QUEUE_MS);
  #sound: Int16Array = new Int16Array(0);
  #position = 0;
  #onPlayed: (() => void) | undefined;
  #isOpen = true;
  #pumping: Promise<void> | undefined;

  async publish(room: Room): Promise<void> {
    const track = LocalAudioTrack.createAudioTrack('microphone', this.#source);
    const options = new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE });
    await room.localParticipant?.publishTrack(track, options);
    this.#pumping = this.#pump();
  }

  /** Resolves when the last of it has been sent. */
  say(sound: Pcm): Promise<void> {
    this.#sound = resample(sound, SAMPLE_RATE).samples;
    this.#position = 0;
    return new Promise((resolve) => {
      this.#onPlayed = () => setTimeout(resolve, QUEUE_MS);
    });
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    await this.#pumping?.catch(() => undefined);
    await this.#source.close();
  }

  async #pump(): Promise<void> {
    while (this.#isOpen) {
      await this.#source.captureFrame(new AudioFrame(this.#nextFrame(), SAMPLE_RATE, 1, FRAME_SAMPLES));
    }
  }

  #nextFrame(): Int16Array {
    const frame = new Int16Array(FRAME_SAMPLES);
    frame.set(this.#sound.subarray(this.#position, this.#position + FRAME_SAMPLES));
    this.#position += FRAME_SAMPLES;
    if (this.#position >= this.#sound.length && this.#onPlayed) {
      this.#onPlayed();
      this.#onPlayed = undefined;
    }
    return frame;
  }
}
