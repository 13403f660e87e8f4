/** Shorter sounds may be noise. */
const SPEECH_MS = 1_000;
/** An agent that hears its caller has told so by then. */
const REPORTED_WITHIN_MS = 3_000;

/** What is heard of a caller in the room, from its beginning to its end. */
export class OverheardSpeech {
  #from: number | undefined;
  #judging: NodeJS.Timeout | undefined;

  /** @param onOver called with beginning and end of what was speech, when its agent should have told of it */
  note(isSpeaking: boolean, at: number, onOver: (from: number, to: number) => void): void {
    if (isSpeaking) {
      this.#from ??= at;
      clearTimeout(this.#judging);
      return;
    }
    const from = this.#from;
    this.#from = undefined;
    if (from === undefined || at - from < SPEECH_MS) return;
    clearTimeout(this.#judging);
    this.#judging = setTimeout(() => onOver(from, at), REPORTED_WITHIN_MS).unref();
  }
}
