import { voice } from '@livekit/agents';
import type { EventLog } from '../events.js';

const { AgentSessionEventTypes } = voice;

/** Tells the platform what happens in the conversation. */
export function reportEvents(session: voice.AgentSession, events: EventLog): void {
  session.on(AgentSessionEventTypes.AgentStateChanged, ({ oldState, newState }) => {
    if (newState === 'speaking') events.write({ event: 'agent_speaking', active: true });
    else if (oldState === 'speaking') events.write({ event: 'agent_speaking', active: false });
  });
  session.on(AgentSessionEventTypes.UserStateChanged, ({ oldState, newState }) => {
    if (newState === 'speaking') events.write({ event: 'user_speaking', active: true });
    else if (oldState === 'speaking') events.write({ event: 'user_speaking', active: false });
  });
  session.on(AgentSessionEventTypes.UserInputTranscribed, ({ transcript, isFinal }) => {
    events.write({ event: 'transcript', role: 'user', text: transcript, final: isFinal });
  });
  // Comes when the words have been spoken, or as many of them as were before an interruption.
  session.on(AgentSessionEventTypes.ConversationItemAdded, ({ item }) => {
    if (item.type !== 'message' || item.role !== 'assistant' || !item.textContent) return;
    events.write({ event: 'transcript', role: 'agent', text: item.textContent, final: true });
  });
  session.on(AgentSessionEventTypes.Error, ({ error }) => {
    events.write({ event: 'error', message: messageOf(error) });
  });
}

function messageOf(error: unknown): string {
  const inner = typeof error === 'object' && error !== null && 'error' in error ? error.error : error;
  return inner instanceof Error ? inner.message : 'a part of the conversation failed';
}
