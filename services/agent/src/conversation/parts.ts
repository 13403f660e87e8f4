import { inference, type llm, type stt, type tts, type VAD } from '@livekit/agents';
import type { AgentConfig } from '../config.js';
import { LocalStt } from '../speech/local-stt.js';
import { LocalTts } from '../speech/local-tts.js';
import type { SpeechPrograms } from '../speech/programs.js';
import { DEFAULT_VOICE, parseVoiceId } from '../speech/voices.js';
import type { Reply } from './brain.js';
import { PHRASES, UNCLEAR } from './commands.js';
import { RuleLlm } from './rule-llm.js';

/** What the conversation is made of: each part local, or of a cloud service whose key we were given. */
export interface Parts {
  /** Undefined on a machine without a recognizer: the caller can still type. */
  readonly stt: stt.STT | undefined;
  /** Undefined: the framework's own, with its defaults. */
  readonly vad: VAD | undefined;
  readonly llm: llm.LLM;
  readonly tts: tts.TTS;
  /** Whether a language model does the talking, and so must be told about the caller. */
  readonly brain: 'rules' | 'model';
  /** For the log: `flite, pocketsphinx, rules`. */
  readonly description: string;
  setVoice(voiceId: string): void;
}

/**
 * A pause within a command is shorter than this. Local recognition hears each stretch of speech by itself, so a stretch
 * must not end too early; answers come this much later.
 */
const LOCAL_SILENCE_MS = 450;

/** @throws when nothing here can speak. */
export async function chooseParts(
  config: AgentConfig,
  programs: SpeechPrograms,
  answer: (heard: string) => Reply,
): Promise<Parts> {
  const [ears, mind, mouth] = await Promise.all([
    chooseEars(config, programs),
    chooseMind(config, answer),
    chooseMouth(config, programs),
  ]);
  return {
    ...ears,
    ...mind,
    ...mouth,
    description: [mouth.tts.provider, ears.stt?.provider ?? 'no recognizer', mind.brain].join(', '),
  };
}

/** Plugins of cloud services are imported only when used: each costs start-up time and memory. */
async function chooseEars(
  config: AgentConfig,
  programs: SpeechPrograms,
): Promise<Pick<Parts, 'stt' | 'vad'>> {
  if (config.deepgramKey !== undefined) {
    const { STT } = await import('@livekit/agents-plugin-deepgram');
    return { stt: new STT({ apiKey: config.deepgramKey }), vad: undefined };
  }
  if (config.openaiKey !== undefined) {
    const { STT } = await import('@livekit/agents-plugin-openai');
    return { stt: new STT({ apiKey: config.openaiKey, useRealtime: false }), vad: undefined };
  }
  if (programs.recognizer === undefined) return { stt: undefined, vad: undefined };
  return {
    stt: new LocalStt(programs.recognizer, Object.values(PHRASES).flat(), UNCLEAR),
    vad: new inference.VAD({ minSilenceDuration: LOCAL_SILENCE_MS }),
  };
}

async function chooseMind(
  config: AgentConfig,
  answer: (heard: string) => Reply,
): Promise<Pick<Parts, 'llm' | 'brain'>> {
  if (config.openaiKey === undefined) return { llm: new RuleLlm(answer), brain: 'rules' };
  const { LLM } = await import('@livekit/agents-plugin-openai');
  return { llm: new LLM({ apiKey: config.openaiKey }), brain: 'model' };
}

async function chooseMouth(
  config: AgentConfig,
  programs: SpeechPrograms,
): Promise<Pick<Parts, 'tts' | 'setVoice'>> {
  if (config.openaiKey !== undefined) {
    const { TTS } = await import('@livekit/agents-plugin-openai');
    const tts = new TTS({ apiKey: config.openaiKey });
    return { tts, setVoice: (voiceId) => setOpenaiVoice(tts, voiceId) };
  }
  if (config.deepgramKey !== undefined) {
    const { TTS } = await import('@livekit/agents-plugin-deepgram');
    return { tts: new TTS({ apiKey: config.deepgramKey }), setVoice: () => undefined };
  }
  const tts = new LocalTts(programs, parseVoiceId(config.voiceId) ?? DEFAULT_VOICE);
  return { tts, setVoice: (voiceId) => tts.setVoice(parseVoiceId(voiceId) ?? DEFAULT_VOICE) };
}

const OPENAI_VOICES = ['alloy', 'ash', 'coral', 'echo', 'fable', 'nova', 'onyx', 'sage', 'shimmer'] as const;

function setOpenaiVoice(
  plugin: { updateOptions(options: { voice?: (typeof OPENAI_VOICES)[number] }): void },
  voiceId: string,
): void {
  const voice = OPENAI_VOICES.find((known) => known === voiceId.toLowerCase());
  if (voice) plugin.updateOptions({ voice });
}
