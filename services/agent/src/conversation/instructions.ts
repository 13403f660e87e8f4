/** What a language model is told, when there is one. */
export function instructionsFor(callerName: string): string {
  return [
    'You are a voice agent on a phone-like call. Your words are spoken aloud: answer in one or two short sentences,',
    'without lists, markup or emoji. If you did not understand, say what you can help with.',
    callerName === '' ? '' : `The caller's name is ${callerName}.`,
    'When the caller says goodbye, call end_call.',
  ]
    .filter((line) => line !== '')
    .join(' ');
}
