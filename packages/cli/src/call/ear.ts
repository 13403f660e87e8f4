import { AudioStream, type RemoteTrack } from '@livekit/rtc-node';
import { isLoud } from '../speech/segments.js';
import type { Pcm } from '../speech/wav.js';
import type { CallClock } from './call-clock.js';

const SAMPLE_RATE = 48_000;
/** Frames come in bursts; only a longer gap is a silence that was not sent. */
const GAP_MS = 200;

/** Hears the agent: keeps what was heard on the clock of the call, and knows when somebody speaks. */
export class Ear {
  readonly #clock: CallClock;
  readonly #parts: { atSample: number; samples: Int16Array }[] = [];
  #endSample = 0;
  #beganMs: number | undefined;
  #firstLoudMs: number | undefined;
  #lastLoudMs: number | undefined;

  constructor(clock: CallClock) {
    this.#clock = clock;
  }

  /** When the recording begins. */
  get beganMs(): number {
    return this.#beganMs ?? 0;
  }

  get firstLoudMs(): number | undefined {
    return this.#firstLoudMs;
  }

  get lastLoudMs(): number | undefined {
    return this.#lastLoudMs;
  }

  listenTo(track: RemoteTrack): void {
    void this.#follow(track).catch(() => undefined);
  }

  recording(): Pcm {
    const samples = new Int16Array(this.#endSample);
    for (const part of this.#parts) samples.set(part.samples, part.atSample);
    return { samples, sampleRate: SAMPLE_RATE };
  }

  async #follow(track: RemoteTrack): Promise<void> {
    this.#beganMs ??= this.#clock.now();
    for await (const frame of new AudioStream(track, SAMPLE_RATE, 1)) this.#take(frame.data);
  }

  #take(data: Int16Array): void {
    const nowMs = this.#clock.now();
    const dueSample = Math.floor(((nowMs - this.beganMs) * SAMPLE_RATE) / 1000) - data.length;
    const lateMs = ((dueSample - this.#endSample) * 1000) / SAMPLE_RATE;
    const atSample = lateMs > GAP_MS ? dueSample : this.#endSample;
    this.#parts.push({ atSample, samples: data.slice() });
    this.#endSample = atSample + data.length;
    if (!isLoud(data)) return;
    this.#firstLoudMs ??= nowMs;
    this.#lastLoudMs = nowMs;
  }
}
