import type { SpeechPrograms } from './programs.js';

type Engine = 'flite' | 'espeak';

/** A voice of a program that is installed here. */
export interface EngineVoice {
  readonly engine: Engine;
  readonly path: string;
  readonly voice: string;
}

interface VoiceEntry {
  readonly flite?: string;
  readonly espeak: string;
}

/** Voice ids as callers give them. Each names a voice in either engine, so that one missing engine is no failure. */
export const VOICES = {
  slt: { flite: 'slt', espeak: 'en-us+f3' },
  rms: { flite: 'rms', espeak: 'en-us+m3' },
  kal: { flite: 'kal16', espeak: 'en-us' },
  awb: { flite: 'awb', espeak: 'en-gb-scotland' },
  'en-us': { espeak: 'en-us' },
  'en-gb': { espeak: 'en-gb' },
  'en-gb-scotland': { espeak: 'en-gb-scotland' },
} as const satisfies Readonly<Record<string, VoiceEntry>>;

export type VoiceId = keyof typeof VOICES;

export const DEFAULT_VOICE: VoiceId = 'slt';

const ALIASES = new Map<string, VoiceId>([
  ['female', 'slt'],
  ['male', 'rms'],
  ['american', 'rms'],
  ['british', 'en-gb'],
  ['scottish', 'awb'],
  ['robot', 'en-us'],
]);

/** The voice meant by an id, in any case; undefined for one that nobody knows. */
export function parseVoiceId(voiceId: string): VoiceId | undefined {
  const id = voiceId.trim().toLowerCase();
  return Object.hasOwn(VOICES, id) ? (id as VoiceId) : ALIASES.get(id);
}

/**
 * The nearest that this machine has to the wanted voice.
 * @throws when no speech program is installed.
 */
export function chooseVoice(wanted: VoiceId, programs: SpeechPrograms): EngineVoice {
  const entry: VoiceEntry = VOICES[wanted];
  if (entry.flite !== undefined && programs.flite !== undefined) {
    return { engine: 'flite', path: programs.flite, voice: entry.flite };
  }
  if (programs.espeak !== undefined) return { engine: 'espeak', path: programs.espeak, voice: entry.espeak };
  if (programs.flite !== undefined) return { engine: 'flite', path: programs.flite, voice: 'slt' };
  throw new Error('no program to speak with is installed: install flite or espeak-ng');
}
