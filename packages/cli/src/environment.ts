/** What the environment says, and nothing else reads it. Secrets come this way only, never as arguments. */
export interface CliEnvironment {
  readonly apiUrl: string;
  readonly adminToken: string | undefined;
  /** What a call is started with: a client's key, or else the admin token. */
  readonly callKey: string | undefined;
  readonly userName: string | undefined;
  readonly wantsColour: boolean | undefined;
  readonly path: string;
  /** For `doctor`: the deployment's own settings, as far as they are given. */
  readonly deployment: DeploymentSettings;
}

export interface DeploymentSettings {
  readonly redisUrl: string | undefined;
  readonly livekitUrl: string | undefined;
  readonly livekitApiKey: string | undefined;
  readonly livekitApiSecret: string | undefined;
  readonly stateDir: string | undefined;
  /** MiB below which the spawner deletes logs. */
  readonly diskLowWaterMb: number;
  readonly spawnerPort: number;
  readonly webPort: number;
  readonly runsReferenceAgent: boolean;
  /** A livekit-server that is not on PATH. */
  readonly livekitServer: string | undefined;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** An empty value counts as not given. */
export function readEnvironment(variables: Variables): CliEnvironment {
  const given = (name: string): string | undefined => variables[name] || undefined;
  return {
    apiUrl: given('API_URL') ?? `http://localhost:${given('PORT') ?? 8080}`,
    adminToken: given('ADMIN_TOKEN'),
    callKey: given('CLIENT_API_KEY') ?? given('ADMIN_TOKEN'),
    userName: given('USER'),
    wantsColour: wantsColour(variables),
    path: given('PATH') ?? '',
    deployment: {
      redisUrl: given('REDIS_URL'),
      livekitUrl: given('LIVEKIT_URL'),
      livekitApiKey: given('LIVEKIT_API_KEY'),
      livekitApiSecret: given('LIVEKIT_API_SECRET'),
      stateDir: given('STATE_DIR'),
      diskLowWaterMb: numberOf(given('DISK_LOW_WATER_MB'), 256),
      spawnerPort: numberOf(given('SPAWNER_PORT'), 8081),
      webPort: numberOf(given('WEB_PORT'), 3000),
      runsReferenceAgent: given('AGENT_COMMAND') === undefined && given('PROFILES_FILE') === undefined,
      livekitServer: given('GREENROOM_LIVEKIT_SERVER'),
    },
  };
}

/** https://no-color.org and FORCE_COLOR; undefined leaves it to whether there is a terminal. */
function wantsColour(variables: Variables): boolean | undefined {
  if (variables['NO_COLOR'] || variables['TERM'] === 'dumb') return false;
  const force = variables['FORCE_COLOR'];
  return force === undefined ? undefined : force !== '0';
}

function numberOf(value: string | undefined, byDefault: number): number {
  const number = Number(value);
  return value === undefined || !Number.isFinite(number) ? byDefault : number;
}
