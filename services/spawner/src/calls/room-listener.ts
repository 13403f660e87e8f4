import { fileURLToPath } from 'node:url';
import type { AgentRun } from '../agent-run.js';
import type { Companion, startCompanion } from '../process/index.js';
import type { HeardInRoom, JoinRoom, Sounds } from '../room-ear/room-sounds.js';

const PROGRAM = fileURLToPath(new URL('../room-ear/main.js', import.meta.url));
/** After it was lost: the room, or the program. */
const AGAIN_MS = 1000;
/** Lost so often in a row, a room is not to be heard from here: the silence of its call ends nothing, and somebody has to know. */
const TROUBLE = 5;

interface Options {
  readonly livekitUrl: string;
  readonly start: typeof startCompanion;
  readonly mintToken: (run: AgentRun) => Promise<string>;
  readonly hear: (run: AgentRun, sounds: Sounds) => void;
  /** Nobody hears what goes on in the room, until somebody does again. */
  readonly lose: (run: AgentRun) => void;
  readonly onError: (run: AgentRun, error: unknown) => void;
  /** The program went, and is started again. */
  readonly onLost: () => void;
}

/**
 * Hears for itself who speaks in the rooms of agents that do not tell: in one program of its own for all of them, which is
 * started when the first of them is to be listened to.
 */
export class RoomListener {
  readonly #options: Options;
  readonly #runs = new Map<string, AgentRun>();
  /** What is heard in the rooms that the program is in. */
  readonly #heard = new Map<string, HeardInRoom>();
  /** Rooms that are about to be joined again. */
  readonly #lost = new Set<string>();
  /** How often in a row a room was lost. */
  readonly #losses = new Map<string, number>();
  #program: Companion | undefined;
  #isClosed = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** From now on, until its room is gone. Another agent's call is told of who speaks already. Returns at once. */
  follow(run: AgentRun): void {
    if (this.#isClosed) return;
    this.#runs.set(run.session.roomName, run);
    const heard = this.#heard.get(run.session.roomName);
    if (heard !== undefined) this.#take(heard);
    void this.#join(run).catch((error: unknown) => this.#options.onError(run, error));
  }

  /** Whether somebody hears at this moment what goes on in its room. */
  isListeningTo({ session }: AgentRun): boolean {
    return this.#heard.has(session.roomName);
  }

  close(): void {
    this.#isClosed = true;
    this.#program?.kill();
  }

  async #join(run: AgentRun): Promise<void> {
    const { livekitUrl, mintToken } = this.#options;
    const token = await mintToken(run);
    if (this.#isClosed) return;
    this.#program ??= this.#start();
    const message: JoinRoom = { room: run.session.roomName, url: livekitUrl, token };
    this.#program.send(message);
  }

  #start(): Companion {
    return this.#options.start(PROGRAM, {
      onMessage: (message) => this.#take(message as HeardInRoom),
      onExit: () => {
        this.#program = undefined;
        this.#options.onLost();
        for (const room of this.#runs.keys()) this.#lose(room);
      },
    });
  }

  #take(heard: HeardInRoom): void {
    const run = this.#runs.get(heard.room);
    if (run === undefined) return;
    if (!heard.isThere) return this.#lose(heard.room);
    this.#heard.set(heard.room, heard);
    this.#losses.delete(heard.room);
    this.#options.hear(run, heard);
  }

  /** Whether it was the room itself that went shows a moment later. */
  #lose(room: string): void {
    this.#heard.delete(room);
    const lost = this.#runs.get(room);
    if (lost?.phase === 'serving') this.#options.lose(lost);
    if (this.#lost.has(room)) return;
    this.#lost.add(room);
    setTimeout(() => {
      this.#lost.delete(room);
      const run = this.#runs.get(room);
      if (run?.phase === 'serving') return this.#followAgain(run);
      this.#runs.delete(room);
      this.#losses.delete(room);
    }, AGAIN_MS).unref();
  }

  #followAgain(run: AgentRun): void {
    const { roomName } = run.session;
    const losses = (this.#losses.get(roomName) ?? 0) + 1;
    this.#losses.set(roomName, losses);
    if (losses === TROUBLE) this.#options.onError(run, new Error(`it was lost ${losses} times in a row`));
    this.follow(run);
  }
}
