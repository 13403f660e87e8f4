/** What both services need and no library gives as is. */
export { ENVIRONMENT, type TrustProxy, VARIABLE_NAMES, type VariableName } from './config/environment.js';
export {
  type Config,
  ConfigError,
  type Environment,
  type Picks,
  parseConfig,
  secretsOf,
} from './config/parse-config.js';
export { RETENTION_PICKS, retentionOf } from './config/retention.js';
export type { Variable } from './config/variable.js';
export { ConnectionWatch, type ConnectionWatchOptions } from './connection-watch.js';
export { applyCrashPolicy, type CrashPolicyOptions } from './crash-policy.js';
export { closeServer, type ListenAddress, listen } from './listen.js';
export { createLogger, flushLogger, type Logger, type LoggerOptions } from './logger.js';
export { Counter, createMetrics, Gauge, Histogram, Registry } from './metrics.js';
export { createPlatformHandler, type PlatformRoutes, type Readiness } from './platform-routes.js';
export { poolPolicySchema } from './pool/pool-policy-schema.js';
export { policySetting, type ScheduledSize, scheduledSize } from './pool/schedule.js';
export { type DeadAirPatch, deadAirPatchSchema, deadAirSettingsSchema } from './profiles/dead-air-schema.js';
export type { ProfileSettings } from './profiles/profile-schema.js';
export { type ProfilesFile, parseProfilesFile } from './profiles/profiles-file.js';
export { createRedactor } from './redact.js';
export { createShutdown, type Shutdown, type ShutdownOptions, type ShutdownPhase } from './shutdown.js';
