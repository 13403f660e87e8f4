import { setTimeout as sleep } from 'node:timers/promises';
import { initializeLogger, llm, voice } from '@livekit/agents';
import { type RemoteParticipant, type Room, RoomEvent } from '@livekit/rtc-node';
import type { AgentConfig } from '../config.js';
import type { EventLog } from '../events.js';
import { type Caller, describeCaller } from '../room/caller.js';
import { findCaller, isCaller } from '../room/find-caller.js';
import { onPlatformMessages } from '../room/platform-messages.js';
import type { TypedLines } from '../room/typed-lines.js';
import { findSpeechPrograms } from '../speech/programs.js';
import { answer, greet, greetDeaf, type Reply, welcomeBack } from './brain.js';
import { instructionsFor } from './instructions.js';
import { OrderedSpeech } from './ordered-speech.js';
import { chooseParts, type Parts } from './parts.js';
import { reportEvents } from './report-events.js';
import { wordsOf } from './typed-words.js';

export interface ConversationOptions {
  readonly room: Room;
  readonly typed: TypedLines;
  readonly config: AgentConfig;
  readonly events: EventLog;
  /** Called once, when the agent has hung up or can't go on. */
  onEnd(end: ConversationEnd): void;
}

export type ConversationEnd = { kind: 'hung up'; reason: string } | { kind: 'failed'; message: string };

/** What was sent last is still on its way to the caller's ear. */
const FAREWELL_TAIL_MS = 400;

/** One caller's talk with the agent, from the greeting to goodbye. */
export class Conversation {
  readonly #options: ConversationOptions;
  readonly #parts: Parts;
  readonly #session: voice.AgentSession;
  readonly #agent: voice.Agent;
  #caller: Caller | undefined;
  #callerPresent = false;
  #lastReply: string | undefined;
  #latestSpeech: voice.SpeechHandle | undefined;

  /** Resolves when the agent can speak; it greets a caller who is here already. */
  static async start(options: ConversationOptions): Promise<Conversation> {
    // Below errors the framework logs what was said.
    initializeLogger({ pretty: false, level: 'error' });
    let conversation: Conversation | undefined;
    const parts = await chooseParts(
      options.config,
      findSpeechPrograms(options.config.path),
      (heard) => conversation?.answer(heard) ?? { text: '', then: 'listen' },
    );
    conversation = new Conversation(options, parts);
    await conversation.#begin();
    return conversation;
  }

  private constructor(options: ConversationOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
    this.#session = new voice.AgentSession(sessionOptions(parts));
    this.#agent = new voice.Agent({
      instructions: instructionsFor(''),
      ...(parts.brain === 'model' && { tools: [this.#endCallTool()] }),
    });
  }

  /** For the log: what does the listening, thinking and speaking. */
  get description(): string {
    return this.#parts.description;
  }

  get state(): string {
    return this.#session.agentState;
  }

  get callerPresent(): boolean {
    return this.#callerPresent;
  }

  async close(): Promise<void> {
    await this.#session.close();
  }

  /** The rules' answer to what was heard; also decides when to hang up. */
  answer(heard: string): Reply {
    const reply = answer(heard, {
      callerName: this.#caller?.name ?? '',
      now: new Date(),
      lastReply: this.#lastReply,
    });
    this.#lastReply = reply.text;
    if (reply.then === 'end' && this.#latestSpeech) void this.#hangUpAfter(this.#latestSpeech);
    return reply;
  }

  async #begin(): Promise<void> {
    const { room, events } = this.#options;
    this.#session.on(voice.AgentSessionEventTypes.SpeechCreated, ({ speechHandle }) => {
      this.#latestSpeech = speechHandle;
    });
    this.#session.on(voice.AgentSessionEventTypes.Close, ({ reason, error }) => {
      if (reason !== voice.CloseReason.ERROR) return;
      this.#options.onEnd({ kind: 'failed', message: `the conversation broke: ${describeError(error)}` });
    });
    reportEvents(this.#session, events);
    await this.#session.start({
      agent: this.#agent,
      room,
      record: false,
      inputOptions: {
        // How long a caller may be away is the platform's business.
        closeOnDisconnect: false,
        audioSampleRate: 16_000,
        // The framework's own ear for it opens late, and drops what comes from somebody it does not know yet: `room/typed-lines.ts`.
        textEnabled: false,
      },
    });
    onPlatformMessages(room, new OrderedSpeech(this.#session, events));
    this.#meetCallers();
  }

  /** In one go, or somebody could join unseen; who typed it is known here before it is answered. */
  #meetCallers(): void {
    const { room, typed } = this.#options;
    room.on(RoomEvent.ParticipantConnected, (participant) => {
      if (isCaller(participant)) this.#callerJoined(participant);
    });
    room.on(RoomEvent.ParticipantDisconnected, (participant) => this.#callerLeft(participant));
    const caller = findCaller(room);
    if (caller) this.#callerJoined(caller);
    typed.hearWith((text) => this.#hearTyped(text));
  }

  /** The latest counts: whoever lost the network comes back under another identity while LiveKit still shows the one before. */
  #callerJoined(participant: RemoteParticipant): void {
    if (participant.identity === this.#caller?.identity && this.#callerPresent) return;
    const returning = this.#caller !== undefined;
    this.#caller = describeCaller(participant, this.#options.room.metadata, this.#options.config);
    this.#callerPresent = true;
    this.#parts.setVoice(this.#caller.voiceId);
    // The framework stays with the first identity it saw; a caller may come back with a new one.
    this.#session._roomIO?.setParticipant(participant.identity);
    void this.#agent.updateInstructions(instructionsFor(this.#caller.name));
    this.#say(this.#greeting(returning));
  }

  #callerLeft(participant: RemoteParticipant): void {
    if (participant.identity !== this.#caller?.identity) return;
    this.#callerPresent = false;
    this.#session.interrupt({ force: true });
    const other = findCaller(this.#options.room);
    if (other) this.#callerJoined(other);
  }

  #greeting(returning: boolean): string {
    const name = this.#caller?.name ?? '';
    if (this.#parts.stt === undefined) return greetDeaf(name);
    return returning ? welcomeBack(name) : greet(name);
  }

  #say(text: string): void {
    this.#lastReply = text;
    this.#session.say(text);
  }

  #hearTyped(typed: string): void {
    const text = wordsOf(typed);
    if (text === '') return;
    this.#options.events.write({ event: 'transcript', role: 'user', text, final: true });
    // An announcement is heard to its end; the framework answers an interruption of it with an exception.
    if (this.#session._activity?.currentSpeech?.allowInterruptions !== false) this.#session.interrupt();
    this.#session.generateReply({ userInput: text });
  }

  async #hangUpAfter(farewell: voice.SpeechHandle): Promise<void> {
    await farewell.waitForPlayout();
    // A caller who talks into the goodbye has more to say.
    if (farewell.interrupted) return;
    await sleep(FAREWELL_TAIL_MS);
    this.#options.onEnd({ kind: 'hung up', reason: 'goodbye' });
  }

  #endCallTool(): llm.FunctionTool<Record<string, never>> {
    return llm.tool({
      name: 'end_call',
      description: 'Hangs up. Use it when the caller says goodbye or asks to end the call.',
      execute: async () => {
        void this.#hangUpWhenIdle();
        return 'The call ends as soon as you have said a short goodbye. Say it now.';
      },
    });
  }

  async #hangUpWhenIdle(): Promise<void> {
    await this.#session.waitForIdle();
    await sleep(FAREWELL_TAIL_MS);
    this.#options.onEnd({ kind: 'hung up', reason: 'goodbye' });
  }
}

function sessionOptions({ stt, vad, llm: mind, tts }: Parts): voice.AgentSessionOptions {
  return {
    ...(stt && { stt }),
    ...(vad && { vad }),
    llm: mind,
    tts,
    turnHandling: {
      // Named, so that the framework does not reach for its models of end of turn and interruption, which it downloads.
      turnDetection: 'vad',
      interruption: { mode: 'vad', minDuration: 300, falseInterruptionTimeout: 1500 },
      endpointing: { minDelay: 450 },
      preemptiveGeneration: { enabled: false },
    },
    userAwayTimeout: null,
    aecWarmupDuration: 1000,
  };
}

function describeError(error: unknown): string {
  if (error instanceof Error) return error.message;
  const inner = (error as { error?: unknown } | null)?.error;
  return inner instanceof Error ? inner.message : 'unknown reason';
}
