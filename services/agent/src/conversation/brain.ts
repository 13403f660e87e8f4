import { findIntent, type Intent, UNCLEAR } from './commands.js';

/** What a reply may depend on. */
export interface Situation {
  /** Empty when nobody told us. */
  readonly callerName: string;
  readonly now: Date;
  /** The last thing that the agent said of its own, undefined before the first. */
  readonly lastReply: string | undefined;
}

export interface Reply {
  readonly text: string;
  /** `end`: hang up once this has been heard. */
  readonly then: 'listen' | 'end';
}

export const CAPABILITIES =
  'You can ask me for the time, the date or your name, or say repeat that, hold on, tell me a story, or goodbye.';

export const NOT_UNDERSTOOD =
  'Sorry, I did not understand. You can ask me for the time, the date or your name, or say help.';

const STORY = [
  'Once upon a time there was a small theatre by the sea.',
  'Every evening its players waited in a green room behind the stage, warm and ready, because nobody ever knew when the first guest would come.',
  'One night the storm took the lights, the doors and half of the roof, and the director wanted to send everybody home.',
  'But a single guest came in out of the rain and sat down in the first row.',
  'And before she had taken off her coat, somebody stepped on the stage and said: good evening, we have been waiting for you.',
].join(' ');

export function greet(callerName: string): string {
  return `Hello${vocative(callerName)}. I am your voice agent. What can I do for you?`;
}

export function welcomeBack(callerName: string): string {
  return `Welcome back${vocative(callerName)}. Where were we?`;
}

/** For machines without a recognizer. */
export function greetDeaf(callerName: string): string {
  return `Hello${vocative(callerName)}. I can not listen on this machine, but I answer what you type.`;
}

/** What to answer to what the caller said, by rules alone. */
export function answer(heard: string, situation: Situation): Reply {
  const intent = heard === UNCLEAR ? undefined : findIntent(heard);
  if (intent === undefined) return listen(NOT_UNDERSTOOD);
  return intent === 'goodbye' ? farewell(situation) : listen(sayFor(intent, situation));
}

function sayFor(intent: Exclude<Intent, 'goodbye'>, situation: Situation): string {
  switch (intent) {
    case 'time':
      return `It is ${formatTime(situation.now)}.`;
    case 'date':
      return `Today is ${formatDate(situation.now)}.`;
    case 'repeat':
      return situation.lastReply ?? 'I have not said anything yet.';
    case 'name':
      return situation.callerName === ''
        ? 'I do not know your name, nobody told me.'
        : `Your name is ${situation.callerName}.`;
    case 'hold':
      return 'Of course, take your time. I am here when you are ready.';
    case 'help':
      return CAPABILITIES;
    case 'identity':
      return 'I am the reference voice agent of Greenroom. I run on this machine, without any cloud.';
    case 'greeting':
      return `Hello${vocative(situation.callerName)}. What can I do for you?`;
    case 'wellbeing':
      return 'I am fine, thank you. What can I do for you?';
    case 'presence':
      return 'Yes, I can hear you well.';
    case 'story':
      return STORY;
    case 'thanks':
      return 'You are welcome. Is there anything else?';
    case 'stop':
      return 'All right.';
  }
}

function farewell({ callerName }: Situation): Reply {
  return { text: `Goodbye${vocative(callerName)}. Thank you for calling.`, then: 'end' };
}

function listen(text: string): Reply {
  return { text, then: 'listen' };
}

function vocative(name: string): string {
  return name === '' ? '' : `, ${name}`;
}

/** In the zone of TZ, as the caller's platform set it. */
function formatTime(now: Date): string {
  // Newer ICU puts a narrow no-break space before PM, which speech programs stumble over.
  return now.toLocaleTimeString('en-US', { hour: 'numeric', minute: '2-digit' }).replace(/\s/g, ' ');
}

function formatDate(now: Date): string {
  return now.toLocaleDateString('en-US', { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' });
}
