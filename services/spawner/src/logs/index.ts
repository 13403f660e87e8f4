/** What an agent prints: followed, understood, shown, and given back to the disk. */

export { type ParsedLine, parseAgentEvent } from './agent-events.js';
export { CUT_MARK } from './line-splitter.js';
export { type KeptLogPart, type KeptLogRequest, readKeptLog } from './kept-log.js';
export { LineTimes, readLineTimes, timesFileOf } from './line-times.js';
export { type LogTail, type LogTailOptions, openLogTail } from './log-tail.js';
export {
  type AgentMode,
  createReadinessMatcher,
  DEFAULT_READINESS_PATTERNS,
  parseReadinessPattern,
  type ReadinessMatcher,
  type ReadinessPatterns,
} from './readiness-patterns.js';
export {
  deleteOldestFiles,
  deleteOldFiles,
  type RetentionRequest,
  type RetentionResult,
} from './retention.js';
export { type EraseOutcome, eraseConsumed, type TrimOutcome, type TrimRequest, trimLog } from './rotate.js';
export { type ServedLine, serveLine, toPlainText } from './served-line.js';
