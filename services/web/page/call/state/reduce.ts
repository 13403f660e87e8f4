import type {
  DeadAirStreamEvent,
  SessionState,
  SessionStateEvent,
  SessionView,
  StartResponse,
} from '@greenroom/contracts';
import { type Problem, problemOfStart } from '../words/problems.js';
import { noteOfSilence } from '../words/silence.js';
import { formatSeconds } from '../words/times.js';
import {
  type Call,
  type CallRequest,
  type CallState,
  type LinePlace,
  type Microphone,
  newCall,
  type RoomFacts,
} from './call-state.js';
import {
  addNote,
  addSaid,
  addSegment,
  addTyped,
  doubtTyped,
  failTyped,
  sendTyped,
  settleTyped,
  type Said,
  type Segment,
} from './transcript.js';

/** What happens to a call. `at`: when this page heard of it. */
export type CallAction =
  | { type: 'lobby'; problem?: Problem }
  | { type: 'elsewhere' }
  | { type: 'asked'; request: CallRequest; at: number }
  | {
      type: 'returning';
      request: CallRequest;
      sessionId: string;
      askedAt: number;
      talkingSince?: number;
      isMuted?: boolean;
    }
  | { type: 'accepted'; answer: StartResponse; at: number }
  | { type: 'failed'; problem: Problem; at: number }
  | { type: 'status'; event: StatusWords; at: number }
  | { type: 'promoted'; sessionId: string }
  | { type: 'said'; said: Said }
  | { type: 'segment'; segment: Segment }
  | { type: 'typed'; key: string; text: string; at: number }
  | { type: 'typed-sent'; key: string }
  | { type: 'typed-failed'; key: string }
  | { type: 'typed-unanswered'; key: string }
  | { type: 'silence'; event: DeadAirStreamEvent; at: number }
  | { type: 'room'; facts: Partial<RoomFacts>; at: number }
  | { type: 'microphone'; microphone: Microphone }
  | { type: 'over'; endReason: string | undefined; durationMs?: number; at: number };

/** What a snapshot and a step of the stream have in common. */
export type StatusWords = Pick<
  SessionView & SessionStateEvent,
  'sessionId' | 'position' | 'estimatedWaitMs' | 'blockedBy' | 'error'
> & { status: SessionState; prewarmed?: boolean };

export function reduce(state: CallState, action: CallAction): CallState {
  const { request } = state;
  switch (action.type) {
    case 'lobby':
      return { screen: 'lobby', request, ...(action.problem && { problem: action.problem }) };
    case 'elsewhere':
      return { screen: 'elsewhere', request };
    case 'asked':
      return { screen: 'call', request: action.request, call: newCall(action.at, 'asking') };
    case 'returning':
      return { screen: 'call', request: action.request, call: returningCall(action) };
    case 'over':
      return endCall(state, action);
    case 'accepted':
    case 'failed':
    case 'status':
    case 'promoted':
    case 'said':
    case 'segment':
    case 'typed':
    case 'typed-sent':
    case 'typed-failed':
    case 'typed-unanswered':
    case 'silence':
    case 'room':
    case 'microphone':
      return state.screen === 'call' ? { ...state, call: reduceCall(state.call, action) } : state;
  }
}

type InCall = Exclude<CallAction, { type: 'lobby' | 'elsewhere' | 'asked' | 'returning' | 'over' }>;

function reduceCall(call: Call, action: InCall): Call {
  switch (action.type) {
    case 'accepted':
      return accept(call, action.answer, action.at);
    case 'failed':
      return { ...call, problem: action.problem, marks: { ...call.marks, failedAt: action.at } };
    case 'status':
      return step(call, action.event, action.at);
    case 'promoted':
      return { ...call, sessionId: action.sessionId };
    case 'said':
      return { ...call, lines: addSaid(call.lines, action.said) };
    case 'segment':
      return { ...call, lines: addSegment(call.lines, action.segment) };
    case 'typed':
      return { ...call, lines: addTyped(call.lines, action.key, action.text, action.at) };
    case 'typed-sent':
      return { ...call, lines: sendTyped(call.lines, action.key) };
    case 'typed-failed':
      return { ...call, lines: failTyped(call.lines, action.key) };
    case 'typed-unanswered':
      return { ...call, lines: doubtTyped(call.lines, action.key) };
    case 'silence':
      return withNote(call, noteOfSilence(action.event), action.at);
    case 'room':
      return enterFacts(call, action.facts, action.at);
    case 'microphone':
      return { ...call, microphone: action.microphone, isMuted: isMutedBy(action.microphone, call.isMuted) };
  }
}

function returningCall(action: Extract<CallAction, { type: 'returning' }>): Call {
  const { askedAt, sessionId, talkingSince, isMuted = false } = action;
  const marks = {
    askedAt,
    answeredAt: askedAt,
    ...(talkingSince !== undefined && { readyAt: talkingSince }),
  };
  return { ...newCall(askedAt, 'returning'), sessionId, marks, isMuted };
}

/** A microphone that fails changes nothing of what is wanted. */
function isMutedBy(microphone: Microphone, before: boolean): boolean {
  if (microphone === 'muted') return true;
  return microphone === 'on' || microphone === 'asking' ? false : before;
}

function accept(call: Call, answer: StartResponse, at: number): Call {
  const marks = { ...call.marks, answeredAt: at };
  const accepted = { ...call, sessionId: answer.sessionId, isWarm: answer.prewarmed, marks };
  return step(accepted, answer, at);
}

function step(call: Call, words: StatusWords, at: number): Call {
  const { status } = words;
  if (status === 'pooled' || status === 'gone') return call;
  const stepped: Call = {
    ...call,
    status,
    sessionId: words.sessionId,
    isWarm: words.prewarmed ?? call.isWarm,
    line: status === 'queued' ? placeOf(words, call.line, at) : undefined,
    marks: { ...markAdmission(call, status, at), ...(status === 'error' && { failedAt: at }) },
    problem: status === 'error' ? problemOfStart(words.error) : undefined,
  };
  return markReady(noteLostAgent(call, stepped, at), at);
}

function placeOf(words: StatusWords, before: LinePlace | undefined, at: number): LinePlace {
  return {
    position: words.position ?? before?.position ?? 1,
    estimatedWaitMs: words.estimatedWaitMs ?? before?.estimatedWaitMs,
    saidAt: at,
    blockedBy: words.blockedBy,
  };
}

function markAdmission({ marks, status: before }: Call, status: SessionState, at: number): Call['marks'] {
  return before === 'queued' && status !== 'queued' ? { ...marks, admittedAt: at } : marks;
}

function noteLostAgent(before: Call, { ...call }: Call, at: number): Call {
  if (before.status === 'ready' && call.status === 'restarting')
    return withNote(withDoubt(call), 'The agent was lost. Another one is joining.', at);
  if (before.status === 'restarting' && call.status === 'ready')
    return withNote(call, 'A new agent has joined. It does not know what was said before.', at);
  return call;
}

function enterFacts(before: Call, facts: Partial<RoomFacts>, at: number): Call {
  const room = { ...before.room, ...facts };
  const { marks } = before;
  const call: Call = {
    ...before,
    room,
    marks: room.hasAgent && marks.agentHereAt === undefined ? { ...marks, agentHereAt: at } : marks,
  };
  const isNewListener = room.isListenedTo && !before.room.isListenedTo;
  const noted = isNewListener ? withNote(call, 'An operator is listening.', at) : call;
  return markReady(isCutOff(before.room, room) ? withDoubt(noted) : noted, at);
}

function isCutOff(before: RoomFacts, now: RoomFacts): boolean {
  const isAgentGone = before.hasAgent && !now.hasAgent;
  return isAgentGone || (before.connection === 'joined' && now.connection !== 'joined');
}

function withDoubt(call: Call): Call {
  return { ...call, lines: doubtTyped(call.lines) };
}

/** Both can talk: the session is ready, and its agent is in the room with us. */
function markReady(call: Call, at: number): Call {
  const isReady = call.status === 'ready' && call.room.hasAgent && call.room.connection === 'joined';
  if (!isReady || call.marks.readyAt !== undefined) return call;
  const took = formatSeconds(at - call.marks.askedAt);
  return withNote({ ...call, marks: { ...call.marks, readyAt: at } }, `Ready to talk after ${took}.`, at);
}

function withNote(call: Call, text: string | undefined, at: number): Call {
  return text === undefined ? call : { ...call, lines: addNote(call.lines, text, at) };
}

/** The first word of the end counts; what comes later may know more of it. */
function endCall(state: CallState, action: Extract<CallAction, { type: 'over' }>): CallState {
  const { request } = state;
  if (state.screen === 'over') {
    const endReason = action.endReason ?? state.over.endReason;
    return { ...state, over: { ...state.over, endReason } };
  }
  if (state.screen !== 'call') return state;
  const { marks, lines } = state.call;
  const talked = marks.readyAt === undefined ? undefined : action.at - marks.readyAt;
  return {
    screen: 'over',
    request,
    over: {
      endReason: action.endReason,
      durationMs: talked ?? (state.call.status === 'returning' ? action.durationMs : undefined),
      lines: settleTyped(lines.filter(({ isFinal, text }) => isFinal || text !== '')),
    },
  };
}
