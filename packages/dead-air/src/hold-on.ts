/** What a caller says who wants us to wait, without punctuation and capitals. */
const PHRASES = [
  'hold on',
  'hold the line',
  'hang on',
  'bear with me',
  '(?:just )?(?:a|one|1) (?:quick |short |little )?(?:second|sec|moment|minute|min|momentito|mo)',
  'wait(?: (?:up|there|please))?(?: (?:for )?(?:just )?(?:a|one) (?:second|sec|moment|minute|min))?',
  '(?:give|gimme|spare|allow) ?(?:me )?(?:just )?(?:a|an|one|some|two) (?:few )?(?:seconds?|secs?|moments?|minutes?|mins?|time)',
  "(?:i'll|i will) be (?:right |straight )?back",
  'let me (?:just |quickly )?(?:check|see|look|find|get|grab|fetch|think|go|ask)',
  'one (?:second|moment|minute)',
];

/** Words before the phrase that change nothing about it. */
const OPENING =
  '(?:(?:oh|okay|ok|yes|yeah|yep|um|uh|er|hmm|well|so|and|but|please|sorry|sure|right|alright|hey|hi|hello|no|now|just|' +
  "can you|could you|would you|will you|can we|if you could|you can|i need you to|i'm going to ask you to|" +
  "excuse me|i'm sorry|thank you|thanks)\\s+)*";

/** "hold on to", "one moment in time": the same words, and another meaning. */
const NOT_FOLLOWED_BY =
  '(?!\\s+(?:to\\b(?!\\s+(?:the )?line)|of\\b|in\\b|ago\\b|when\\b|later\\b|that\\b|before\\b|until\\b|too\\b))';

const ASKS = new RegExp(`^${OPENING}(?:${PHRASES.join('|')})\\b${NOT_FOLLOWED_BY}`);

/** These mean it wherever they stand, unless somebody says not to. */
const ANYWHERE = new RegExp(
  `(?<!\\b(?:not|n't|never|to|i|we|they|he|she|it) )\\b(?:hold on|hang on|bear with me)\\b${NOT_FOLLOWED_BY}`,
);

/** Whether the caller asks for time: "hold on", "one moment, please", "could you give me a minute?". */
export function asksToHoldOn(text: string): boolean {
  return clausesOf(text).some((clause) => ASKS.test(clause) || ANYWHERE.test(clause));
}

function clausesOf(text: string): string[] {
  return text
    .toLowerCase()
    .replace(/[’`´]/g, "'")
    .split(/[^\p{L}\p{N}' ]+/u)
    .map((clause) => clause.trim().replace(/\s+/g, ' '))
    .filter((clause) => clause !== '');
}
