/**
 * Why a launch did not come about. All but `spawn_failed` and `gate_closed` are mistakes in a profile and will fail
 * again in the same way.
 */
export type LaunchErrorCode =
  | 'command_not_found'
  | 'command_not_executable'
  | 'cwd_not_found'
  | 'invalid_argument'
  | 'log_not_writable'
  /** The system has no processes, memory or descriptors left. */
  | 'spawn_failed'
  /** The gate's shell went away before it was let through. */
  | 'gate_closed';

export class LaunchError extends Error {
  override readonly name = 'LaunchError';
  constructor(
    readonly code: LaunchErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
