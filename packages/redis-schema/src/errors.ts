/** Redis could not be reached, refused, or did not answer in time. A command that timed out may still have run. */
export class RedisUnavailableError extends Error {
  override readonly name: string = 'RedisUnavailableError';
}

/** Redis has lost data, and the hosts are publishing what they have: what is not there now may be there in seconds. */
export class RedisRecoveringError extends RedisUnavailableError {
  override readonly name = 'RedisRecoveringError';
}

/** Redis has reached its maxmemory: it takes nothing new until somebody frees some. The step was not taken. */
export class RedisFullError extends RedisUnavailableError {
  override readonly name = 'RedisFullError';
}

/** Redis answers, but is one that we can never use: waiting does not help. */
export class RedisUnsuitableError extends Error {
  override readonly name = 'RedisUnsuitableError';
}

/** Another spawner holds this host id, as far as anybody knows. */
export class HostTakenError extends Error {
  override readonly name = 'HostTakenError';
  /** Name of the machine that the other one runs on. */
  readonly by: string | undefined;
  /** How long the other one counts as alive if it is not heard again. */
  readonly freshForMs: number;
  /** Life of the data that says so; undefined while it is being recovered. */
  readonly epoch: string | undefined;

  constructor(
    host: string,
    lease: { by: string | undefined; freshForMs: number; epoch: string | undefined },
  ) {
    const { by, freshForMs, epoch } = lease;
    const seconds = Math.ceil(freshForMs / 1000);
    super(
      `HOST_ID ${host} is held by another spawner${by === undefined ? '' : ` on ${by}`}. ` +
        'Give each spawner a HOST_ID of its own, or stop the other one; ' +
        `if it is gone already, its lease runs out in ${seconds} s.`,
    );
    this.by = by;
    this.freshForMs = freshForMs;
    this.epoch = epoch;
  }
}

/** A script failed or answered what its caller does not know: a defect of ours or another version's step. */
export class RedisScriptError extends Error {
  override readonly name = 'RedisScriptError';
}

const SCRIPT_FAULT = /ERR|WRONGTYPE|illegal transition|user_script/;

/** One place where what ioredis throws becomes ours. */
export function toSchemaError(error: unknown, what: string): Error {
  if (error instanceof RedisUnavailableError || error instanceof RedisScriptError) return error;
  if (error instanceof RedisUnsuitableError || error instanceof HostTakenError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (message.startsWith('OOM')) return new RedisFullError(`${what}: ${message}`, { cause: error });
  if (/^(READONLY|LOADING|MASTERDOWN|BUSY|NOREPLICAS|MISCONF)/.test(message)) {
    return new RedisUnavailableError(`${what}: ${message}`, { cause: error });
  }
  if (error instanceof Error && error.name === 'ReplyError' && SCRIPT_FAULT.test(message)) {
    return new RedisScriptError(`${what}: ${message}`, { cause: error });
  }
  return new RedisUnavailableError(`${what}: ${message}`, { cause: error });
}
