import { MAX_AGENT_RESTARTS } from './bounds.js';
import type { CallEvent } from './events.js';
import type { ResolvedDeadAirSettings } from './settings.js';
import { noteLink } from './link.js';
import { noteEnd, noteStart } from './ongoing.js';
import { noteSpeaking } from './speaker.js';
import { type CallState, commandIdOf } from './state.js';
import { noteWork } from './taken-back.js';
import { noteWords } from './words.js';

/** Writes down what happened. The order in which news arrive makes no difference: each tells its own time. */
export function note(
  state: CallState,
  event: CallEvent,
  { holdOnPhrases }: Pick<ResolvedDeadAirSettings, 'holdOnPhrases'>,
): CallState {
  switch (event.kind) {
    case 'call_started':
      return { ...state, startedAt: state.startedAt === 0 ? event.at : Math.min(state.startedAt, event.at) };
    case 'playback_started':
      return noteLine({ ...state, playbacks: noteStart(state.playbacks, event) }, event);
    case 'playback_ended':
      return noteLine({ ...state, playbacks: noteEnd(state.playbacks, event) }, event);
    case 'agent_speaking':
      return noteLine({ ...state, agent: noteSpeaking(state.agent, event.active, event.at) }, event);
    case 'caller_speaking':
      return noteCaller(state, { caller: noteSpeaking(state.caller, event.active, event.at) });
    case 'caller_said':
      return noteCaller(state, { words: noteWords(state.words, event, holdOnPhrases) });
    case 'work_started':
      return {
        ...state,
        work: noteStart(state.work, event),
        saying: noteWork(state.saying, event.at),
      };
    case 'work_ended':
      return { ...state, work: noteEnd(state.work, event) };
    case 'agent_changed':
      return { ...state, agentSince: Math.max(state.agentSince, event.at) };
    case 'link_started':
    case 'link_made':
    case 'link_failed':
      return { ...state, link: noteLink(state.link, event) };
    case 'command_failed':
      return noteRefusal(state, event);
    case 'call_ended':
      return { ...state, isOver: true };
    case 'settings_changed':
    case 'time':
      return state;
  }
}

/** What a sound tells of the line that the machine had spoken last. */
function noteLine(
  state: CallState,
  event: Extract<CallEvent, { kind: `${string}_speaking` | `playback_${string}` }>,
): CallState {
  const { saying } = state;
  if (saying === null) return state;
  const isEnd = event.kind === 'playback_ended' || (event.kind === 'agent_speaking' && !event.active);
  const isSoundOfLine = !isEnd && event.at >= saying.askedAt;
  const isItself = 'commandId' in event && event.commandId === saying.commandId;
  return {
    ...state,
    saying: {
      ...saying,
      isHeard: saying.isHeard || isItself,
      ...(isSoundOfLine && { soundAt: Math.min(saying.soundAt ?? event.at, event.at) }),
      endedAt: isEnd && isItself ? earlier(saying.endedAt, event.at) : saying.endedAt,
      soundEndedAt:
        isEnd && event.at > saying.askedAt ? earlier(saying.soundEndedAt, event.at) : saying.soundEndedAt,
    },
  };
}

/** Of two times, of which the first may be "never". */
function earlier(known: number, at: number): number {
  return known === 0 ? at : Math.min(known, at);
}

/** Whatever is heard of the caller for the first time clears the questions, and the line that is about to be spoken. */
function noteCaller(state: CallState, heard: Partial<Pick<CallState, 'caller' | 'words'>>): CallState {
  const noted = { ...state, ...heard };
  const isNews = noted.caller.startedAt > state.caller.startedAt || noted.words.at > state.words.at;
  return isNews && noted.end === null ? clear(noted) : noted;
}

/** Only a call that ends for its silence goes on when the caller is back. */
function clear(state: CallState): CallState {
  if (state.farewell !== null && state.farewell.reason !== 'dead_air') return state;
  const saying = state.saying === null ? null : { ...state.saying, isVoid: true };
  return { ...state, checkins: 0, refusedCheckins: 0, farewell: null, saying };
}

function noteRefusal(
  state: CallState,
  { commandId, at, isUnsent }: Extract<CallEvent, { kind: 'command_failed' }>,
): CallState {
  const { saying, end, commands, checkins, refusedCheckins = 0 } = state;
  if (saying?.commandId === commandId) {
    const wasQuestion = saying.purpose === 'checkin' && saying.refusedAt === 0;
    const isCounted = wasQuestion && isUnsent !== true && !saying.isVoid;
    return {
      ...state,
      checkins: wasQuestion ? Math.max(0, checkins - 1) : checkins,
      refusedCheckins: refusedCheckins + (isCounted ? 1 : 0),
      saying: { ...saying, refusedAt: Math.max(saying.refusedAt, at) },
    };
  }
  if (end?.commandId === commandId) {
    return { ...state, end: { ...end, refusedAt: Math.max(end.refusedAt, at) } };
  }
  if (commandId === commandIdOf(state, 'restart', commands.restart ?? 0)) {
    return { ...state, restart: { at: 0, count: MAX_AGENT_RESTARTS } };
  }
  return state;
}
