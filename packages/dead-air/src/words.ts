import { asksToHoldOn } from './hold-on.js';

/** When the caller was last heard to say what. The words themselves are nobody's business. 0: never. */
export interface Words {
  at: number;
  /** The latest that may still change, and the latest that may not. */
  interimAt: number;
  finalAt: number;
  /** The latest that asked to hold on, and the latest that said something else. */
  holdOnAt: number;
  otherAt: number;
}

export const NO_WORDS: Words = { at: 0, interimAt: 0, finalAt: 0, holdOnAt: 0, otherAt: 0 };

interface Said {
  text: string;
  final: boolean;
  at: number;
}

/** @param holdOnPhrases what asks to hold on, besides what is understood anyway */
export function noteWords(
  words: Words,
  { text, final: isFinal, at }: Said,
  holdOnPhrases: readonly string[],
): Words {
  if (!/[\p{L}\p{N}]/u.test(text)) return words;
  const isHoldOn = asksToHoldOn(text, holdOnPhrases);
  return {
    at: Math.max(words.at, at),
    interimAt: isFinal ? words.interimAt : Math.max(words.interimAt, at),
    finalAt: isFinal ? Math.max(words.finalAt, at) : words.finalAt,
    holdOnAt: isHoldOn ? Math.max(words.holdOnAt, at) : words.holdOnAt,
    // Of words of the same moment, which were read at once, the later count: "hold", and then "hold on".
    otherAt: isHoldOn ? before(words.otherAt, at) : Math.max(words.otherAt, at),
  };
}

function before(knownAt: number, at: number): number {
  return knownAt === at ? at - 1 : knownAt;
}

/** From the caller's "hold on" until the caller's next words. */
export function isHoldingOn(words: Words): boolean {
  return words.holdOnAt > words.otherAt;
}
