export * from './agent-events.js';
export * from './duration.js';
export * from './end-reason.js';
export * from './errors.js';
export * from './http.js';
export * from './room.js';
export * from './session-id.js';
export * from './session-state.js';
