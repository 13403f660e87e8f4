import type { Redis } from 'ioredis';
import { RedisRecoveringError, RedisScriptError, toSchemaError } from './errors.js';
import type { RedisClock } from './redis-clock.js';
import type { Retention } from './history-types.js';
import type { DataLife } from './types.js';
import { type CommandName, commandNames, loadScript } from './scripts.js';

/** What a script answered. Lists that were empty arrive as `{}`: Lua has one kind of table; see `asList`. */
export type ScriptAnswer = { status: string } & Record<string, unknown>;

const NO_LIFE = 'none';

type Runnable = Record<string, (...args: string[]) => Promise<string>>;

/** Runs one command file as one step. The text is sent once per server, then only its hash. */
export class ScriptRunner {
  readonly #connection: Redis;
  readonly #keyPrefix: string;
  readonly #clock: RedisClock;
  readonly #retention: Retention | undefined;
  #life: string | undefined;

  /** @param retention told to every step, since any of them may end a session */
  constructor(
    connection: Redis,
    keyPrefix: string,
    clock: RedisClock,
    { traced, retention }: { traced: boolean; retention: Retention | undefined },
  ) {
    this.#retention = retention;
    this.#connection = connection;
    this.#clock = clock;
    this.#keyPrefix = keyPrefix;
    for (const name of commandNames()) {
      connection.defineCommand(methodOf(name), { numberOfKeys: 0, lua: loadScript(name, traced) });
    }
  }

  /**
   * From now on every step names the life of the data in which this host has published its launches, or the recovery: in
   * another one, what is not there proves nothing, and the step answers `recovering`.
   * @param life undefined while it has published them in none
   */
  enterLife(life: DataLife | undefined): void {
    this.#life = typeof life === 'number' ? `recovery-${life}` : (life ?? NO_LIFE);
  }

  /** Whether it takes part in lives of the data: a spawner does. */
  get isHost(): boolean {
    return this.#life !== undefined;
  }

  /**
   * @throws RedisUnavailableError when there is no answer in time: the step may or may not have been taken
   * @throws RedisRecoveringError when the step needs what may have been lost: nothing was changed
   * @throws RedisScriptError when the script itself failed
   */
  async run(name: CommandName, args: object = {}): Promise<ScriptAnswer> {
    const method = (this.#connection as unknown as Runnable)[methodOf(name)];
    if (method === undefined) throw new RedisScriptError(`No such command: ${name}`);
    try {
      const text = await method.call(
        this.#connection,
        this.#keyPrefix,
        JSON.stringify({ ...args, life: this.#life, kept: this.#retention }),
      );
      const answer = JSON.parse(text) as ScriptAnswer;
      if (typeof answer.clock === 'number') this.#clock.hear(answer.clock);
      if (answer.status === 'recovering') throw new RedisRecoveringError(`${name}: data is being recovered`);
      return answer;
    } catch (error) {
      throw toSchemaError(error, name);
    }
  }
}

function methodOf(name: CommandName): string {
  return `greenroom:${name}`;
}

/** Lua's empty table reads `{}` in JSON; this makes it the list that it was. */
export function asList<T>(value: unknown): T[] {
  return Array.isArray(value) ? (value as T[]) : [];
}

/** For a status that the caller does not know. */
export function unexpected(name: CommandName, answer: ScriptAnswer): RedisScriptError {
  return new RedisScriptError(`${name} answered ${JSON.stringify(answer.status)}`);
}
