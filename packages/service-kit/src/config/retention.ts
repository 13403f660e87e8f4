const DAY_MS = 24 * 60 * 60 * 1000;

/** What both services have to know: any step of either may end a session. */
export const RETENTION_PICKS = {
  historyRetentionDays: 'HISTORY_RETENTION_DAYS',
  historyMax: 'HISTORY_MAX',
  transcriptRetentionMs: 'TRANSCRIPT_RETENTION',
  logRetentionDays: 'LOG_RETENTION_DAYS',
} as const;

/** How long what is kept of ended sessions is kept, in milliseconds. */
export function retentionOf(config: Readonly<Record<keyof typeof RETENTION_PICKS, number>>) {
  return {
    historyMs: config.historyRetentionDays * DAY_MS,
    historyMax: config.historyMax,
    transcriptMs: config.transcriptRetentionMs,
    logMs: config.logRetentionDays * DAY_MS,
  };
}
