import { PHONES, PRONUNCIATIONS } from './pronunciations.js';

/** Words that people put around a command. */
const POLITE_STARTS = ['please', 'okay', 'can you', 'could you'];
const POLITE_END = 'please';

/** Fewer, and the loop would beat short commands such as "help" and "bye". */
const MIN_OTHER_PHONES = 7;

/**
 * How likely a phrase is to be said, against 1 for each of the others. `bye` is also all that is left of a `goodbye` whose
 * beginning got lost on its way, and nearly all of one whose beginning is faint. The weight is this small since it has to
 * tip the balance of sounds, whose likelihoods lie further apart still. Chosen by trial in the voices slt, rms and awb: with
 * 1e-20 to 1e-30 a goodbye is heard with its first 200 ms at a tenth of their loudness and, in all but awb, with its first
 * 80 ms gone, as is a clear bye; with 1e-40 a bye becomes a goodbye.
 */
const WEIGHTS: Readonly<Record<string, string>> = { bye: '1e-25' };

/** A phone as a word of its own; no English word starts like this. */
const PHONE_PREFIX = 'ph_';

/**
 * The JSGF grammar of the phrases. Beside them stands a loop of single phones that wins when the speech is none of
 * them; without it the recognizer would hear a command in anything. How easily it wins is set by the word insertion
 * penalty ({@link RECOGNIZER_TUNING}), since each of its phones is a word.
 */
export function renderGrammar(phrases: readonly string[]): string {
  return [
    '#JSGF V1.0;',
    'grammar commands;',
    'public <utterance> = <command> | <other>;',
    `<command> = [ ${POLITE_STARTS.join(' | ')} ] ( ${phrases.map(weighted).join(' | ')} ) [ ${POLITE_END} ];`,
    `<other> = ${'<phone> '.repeat(MIN_OTHER_PHONES)}<phone>+;`,
    `<phone> = ${PHONES.map(phoneWord).join(' | ')};`,
    '',
  ].join('\n');
}

/**
 * The dictionary for those phrases.
 * @throws when a word has no pronunciation: the recognizer would refuse the whole grammar.
 */
export function renderDictionary(phrases: readonly string[]): string {
  const words = new Set([...phrases, ...POLITE_STARTS, POLITE_END].flatMap((phrase) => phrase.split(' ')));
  const lines = [...words].flatMap(dictionaryLines);
  return [...lines, ...PHONES.map((phone) => `${phoneWord(phone)} ${phone}`), ''].join('\n');
}

/**
 * Chosen by trial with sound that had gone through a real room: of 20 commands each in the voices slt, rms and awb 59
 * were understood, and none of 15 other sentences was taken for a command. The beams are wider than the default ones
 * because the penalty eats into them.
 */
export const RECOGNIZER_TUNING = [
  '-wip',
  '3e-4',
  '-beam',
  '1e-80',
  '-pbeam',
  '1e-80',
  '-wbeam',
  '1e-60',
] as const;

/** In a list in which one has a weight, JSGF wants each to have one. */
function weighted(phrase: string): string {
  return `/${Object.hasOwn(WEIGHTS, phrase) ? WEIGHTS[phrase] : 1}/ ${phrase}`;
}

/** What a hypothesis means: the words of a phrase, speech that is none, or nothing at all. */
export type Hypothesis = { kind: 'phrase'; words: string } | { kind: 'other' } | { kind: 'silence' };

export function readHypothesis(text: string): Hypothesis {
  const words = text.split(/\s+/).filter((word) => word !== '');
  if (words.length === 0) return { kind: 'silence' };
  const phrase = words.filter((word) => !word.startsWith(PHONE_PREFIX));
  // A pause splits the sound; one clear phrase among the parts is enough.
  return phrase.length === 0 ? { kind: 'other' } : { kind: 'phrase', words: phrase.join(' ') };
}

function dictionaryLines(word: string): string[] {
  const sounds = Object.hasOwn(PRONUNCIATIONS, word) ? PRONUNCIATIONS[word] : undefined;
  if (!sounds) throw new Error(`no pronunciation of "${word}"`);
  return sounds.map((sound, index) => (index === 0 ? `${word} ${sound}` : `${word}(${index + 1}) ${sound}`));
}

function phoneWord(phone: string): string {
  return `${PHONE_PREFIX}${phone.toLowerCase()}`;
}
