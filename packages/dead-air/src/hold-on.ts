const A_MOMENT = '(?:an? |one |1 )(?:quick |short |little )?(?:second|sec|moment|minute|min)';
const SOME_TIME = '(?:some|a few|a couple|a couple of|two) (?:seconds?|secs?|moments?|minutes?|mins?|time)';
const LET_ME_LOOK = 'let me (?:just |quickly )?(?:check|see|look|find|get|grab|fetch|think|ask)';

/** What a caller says who wants us to wait, in small letters and without punctuation. */
const PHRASES = [
  'hold (?:on|the line)',
  'hang on',
  'bear with me',
  A_MOMENT,
  `wait (?:for )?(?:just )?(?:${A_MOMENT}|${SOME_TIME})`,
  `(?:gimme|(?:give|spare|allow) me) (?:just )?(?:${A_MOMENT}|${SOME_TIME})`,
  "(?:i'll|i will) be (?:right |straight )?back",
  LET_ME_LOOK,
];

/** Words before it that change nothing. */
const OPENING =
  'oh|okay|ok|yes|yeah|yep|um|uh|er|hmm|well|so|and|but|please|sorry|sure|right|all right|alright|hey|hi|hello|no|now|' +
  "just|can you|could you|would you|will you|if you could|excuse me|i'm sorry|thank you|thanks";

/** Words after it that make it something else: "hold on to the rail", "one moment of peace", "a second ago". */
const OTHER_MEANING = 'to|of|in|ago|when|later|that|before|until|after|too';

const AT_THE_START = new RegExp(
  `^(?:(?:${OPENING}) )*(?:${PHRASES.join('|')})(?![\\p{L}'])(?! (?:${OTHER_MEANING})\\b)`,
  'u',
);

/** These mean it in the middle of a sentence too, unless it is about somebody who does, or does not. */
const IN_THE_MIDDLE = new RegExp(
  `(?<!\\b(?:not|don't|can't|won't|never|to|i|we|they|he|she|it) )\\b(?:hold on|hang on|bear with me)\\b(?! (?:${OTHER_MEANING})\\b)`,
);

/** "Wait, what did you say?" asks for no time. */
const NOTHING_BUT_WAIT = new RegExp(`^(?:(?:${OPENING}) )*wait(?: up| here| there)?(?: please)?$`);

/**
 * Whether the caller asks for time: "hold on", "one moment, please", "could you give me a minute?".
 * @param phrases of other languages: their words, one after the other in one clause
 */
export function asksToHoldOn(text: string, phrases: readonly string[] = []): boolean {
  const clauses = clausesOf(text);
  return (
    clauses.some((clause) => AT_THE_START.test(clause) || IN_THE_MIDDLE.test(clause)) ||
    NOTHING_BUT_WAIT.test(clauses.join(' ')) ||
    phrases.some((phrase) => isSaid(clausesOf(phrase).join(' '), clauses))
  );
}

function isSaid(phrase: string, clauses: readonly string[]): boolean {
  return phrase !== '' && clauses.some((clause) => ` ${clause} `.includes(` ${phrase} `));
}

/** What stands between commas, full stops and the like. */
function clausesOf(text: string): string[] {
  return text
    .toLowerCase()
    .replaceAll(/[’`´]/g, "'")
    .split(/[^\p{L}\p{N}'\s]+/u)
    .map((clause) => clause.trim().replaceAll(/\s+/g, ' '))
    .filter((clause) => clause !== '');
}
