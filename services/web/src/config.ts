import { type Config, type Environment, parseConfig } from '@greenroom/service-kit';

const PICKS = {
  host: 'HOST',
  port: 'WEB_PORT',
  apiUrl: 'API_URL',
  logLevel: 'LOG_LEVEL',
} as const;

export type WebConfig = Config<typeof PICKS>;

/** @throws ConfigError with everything that is wrong */
export function parseWebConfig(env: Environment): WebConfig {
  return parseConfig(env, PICKS);
}
