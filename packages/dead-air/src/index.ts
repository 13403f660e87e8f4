export { begin, beginPhone, type CallMedium, type CallState } from './state.js';
export type { CallAction, CallEvent, CallStep, EndOfCall, SpeechPurpose } from './events.js';
export { phaseOf, type CallPhase } from './phase.js';
export { completeSettings, type ResolvedDeadAirSettings, resolveSettings } from './settings.js';
export { type Transition, transition } from './transition.js';
export { SPEECH_START_MS } from './bounds.js';
export { AGENT_STARTING, ROOM_UNHEARD } from './ongoing.js';
export { callReducer, type ReducedCall, type StoredCall } from './reduce-call.js';
