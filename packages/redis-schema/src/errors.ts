/** Redis could not be reached, refused, or did not answer in time. A command that timed out may still have run. */
export class RedisUnavailableError extends Error {
  override readonly name = 'RedisUnavailableError';
}

/** Redis answers, but is one that we can never use: waiting does not help. */
export class RedisUnsuitableError extends Error {
  override readonly name = 'RedisUnsuitableError';
}

/** A script failed or answered what its caller does not know: a defect of ours or another version's step. */
export class RedisScriptError extends Error {
  override readonly name = 'RedisScriptError';
}

const SCRIPT_FAULT = /ERR|WRONGTYPE|illegal transition|user_script/;

/** One place where what ioredis throws becomes ours. */
export function toSchemaError(error: unknown, what: string): Error {
  if (error instanceof RedisUnavailableError || error instanceof RedisScriptError) return error;
  if (error instanceof RedisUnsuitableError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (/^(OOM|READONLY|LOADING|MASTERDOWN|BUSY|NOREPLICAS|MISCONF)/.test(message)) {
    return new RedisUnavailableError(`${what}: ${message}`, { cause: error });
  }
  if (error instanceof Error && error.name === 'ReplyError' && SCRIPT_FAULT.test(message)) {
    return new RedisScriptError(`${what}: ${message}`, { cause: error });
  }
  return new RedisUnavailableError(`${what}: ${message}`, { cause: error });
}
