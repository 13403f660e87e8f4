/** What the doctor found about one thing. */
export interface Finding {
  /** `redis.version`: where, and what. Programs may rely on these names. */
  readonly check: string;
  readonly status: FindingStatus;
  /** One sentence. */
  readonly message: string;
  /** What to do, usually a command to type. */
  readonly fix?: string;
}

export type FindingStatus = 'ok' | 'warning' | 'failure';

export function ok(check: string, message: string): Finding {
  return { check, status: 'ok', message };
}

export function warning(check: string, message: string, fix: string): Finding {
  return { check, status: 'warning', message, fix };
}

export function failure(check: string, message: string, fix: string): Finding {
  return { check, status: 'failure', message, fix };
}
