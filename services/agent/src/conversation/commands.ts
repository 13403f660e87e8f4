/**
 * What the agent understands without a cloud. The phrases are both the grammar of the local speech recognition and
 * what typed or cloud-transcribed text is matched against, so the two can't drift apart.
 */
export type Intent =
  | 'time'
  | 'date'
  | 'repeat'
  | 'name'
  | 'hold'
  | 'help'
  | 'identity'
  | 'greeting'
  | 'wellbeing'
  | 'presence'
  | 'story'
  | 'thanks'
  | 'stop'
  | 'goodbye';

/** Lower case, words only, no contractions: what {@link normalizeWords} makes of a sentence. */
export const PHRASES: Readonly<Record<Intent, readonly string[]>> = {
  time: ['what time is it', 'what is the time', 'tell me the time', 'do you have the time'],
  date: ['what day is it', 'what day is today', 'what is the date', 'tell me the date', 'what date is it'],
  repeat: ['repeat that', 'say that again', 'repeat', 'say it again', 'what did you say', 'come again'],
  name: ['what is my name', 'who am i', 'do you know my name', 'say my name'],
  hold: ['hold on', 'hang on', 'wait a moment', 'just a moment', 'one moment', 'wait', 'give me a moment'],
  help: ['help', 'help me', 'what can you do', 'what can i say', 'what can i ask'],
  identity: ['who are you', 'what is your name', 'tell me your name'],
  greeting: ['hello', 'hello there', 'good morning', 'good evening'],
  wellbeing: ['how are you', 'how are you today'],
  presence: ['are you there', 'can you hear me'],
  story: ['tell me a story', 'tell me something'],
  thanks: ['thank you', 'thank you very much', 'thanks'],
  stop: ['stop', 'be quiet', 'stop talking'],
  goodbye: ['goodbye', 'bye bye', 'bye', 'that is all', 'end the call', 'hang up', 'see you later'],
};

/** What the recognizer reports for speech that is none of the phrases. */
export const UNCLEAR = '[unclear]';

const CONTRACTIONS: readonly (readonly [RegExp, string])[] = [
  [/\b(what|that|who|it)'?s\b/g, '$1 is'],
  [/\bgood[- ]bye\b/g, 'goodbye'],
];

/** Lower-case words with single blanks; punctuation dropped, common contractions spelled out. */
export function normalizeWords(text: string): string {
  let words = text.toLowerCase().replaceAll('’', "'");
  for (const [pattern, replacement] of CONTRACTIONS) words = words.replace(pattern, replacement);
  return words
    .replace(/[^a-z0-9' ]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

/** The intent whose longest phrase occurs in the text, word by word; undefined when none does. */
export function findIntent(text: string): Intent | undefined {
  const padded = ` ${normalizeWords(text)} `;
  let best: { intent: Intent; length: number } | undefined;
  for (const [intent, phrases] of Object.entries(PHRASES) as [Intent, readonly string[]][]) {
    for (const phrase of phrases) {
      if (phrase.length > (best?.length ?? 0) && padded.includes(` ${phrase} `)) {
        best = { intent, length: phrase.length };
      }
    }
  }
  return best?.intent;
}
