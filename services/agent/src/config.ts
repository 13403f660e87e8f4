/** What the platform tells an agent, from the agent contract. */
export interface AgentConfig {
  readonly sessionId: string;
  /** `prewarm`: nobody is here yet; the caller's name and voice come with the caller. */
  readonly mode: 'prewarm' | 'user';
  readonly livekitUrl: string;
  readonly livekitToken: string;
  readonly roomName: string;
  readonly userName: string;
  readonly voiceId: string;
  /** File for structured events; undefined: stdout, without transcripts. */
  readonly eventsFile: string | undefined;
  readonly path: string;
  /** Keys of cloud services; what is undefined is done locally. */
  readonly openaiKey: string | undefined;
  readonly deepgramKey: string | undefined;
}

export class ConfigError extends Error {}

/** @throws {ConfigError} naming all that is missing or wrong at once. */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): AgentConfig {
  const problems: string[] = [];
  const required = (name: string): string => {
    const value = env[name] ?? '';
    if (value === '') problems.push(`${name} is missing`);
    return value;
  };
  const config: AgentConfig = {
    sessionId: required('SESSION_ID'),
    mode: parseMode(env['AGENT_MODE'], problems),
    livekitUrl: required('LIVEKIT_URL'),
    livekitToken: required('LIVEKIT_TOKEN'),
    roomName: env['LIVEKIT_ROOM_NAME'] || required('ROOM_NAME'),
    userName: env['USER_NAME'] ?? '',
    voiceId: env['VOICE_ID'] ?? '',
    eventsFile: env['GREENROOM_EVENTS'] || undefined,
    path: env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    openaiKey: env['OPENAI_API_KEY'] || undefined,
    deepgramKey: env['DEEPGRAM_API_KEY'] || undefined,
  };
  if (problems.length > 0) throw new ConfigError(problems.join('; '));
  return config;
}

function parseMode(value: string | undefined, problems: string[]): AgentConfig['mode'] {
  if (value === 'prewarm' || value === 'user') return value;
  if (value) problems.push(`AGENT_MODE is "${value}", not prewarm or user`);
  return 'user';
}
