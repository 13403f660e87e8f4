import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findLiveKitServer, freePort, startProcess } from '@greenroom/test-kit';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { ENVIRONMENT, VARIABLE_NAMES, type VariableName } from './environment.js';

/** No container engine is asked: this holds what the files say to the code that they speak of. */
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const isThere = (file: string): boolean => existsSync(path.join(ROOT, file));
const defaultOf = (name: VariableName): string | undefined => ENVIRONMENT[name].defaultText;
const isVariable = (name: string): boolean => (VARIABLE_NAMES as readonly string[]).includes(name);

interface Stage {
  readonly image: string;
  readonly lines: string[];
}

/** Each stage with its instructions, continued lines joined. */
function stagesOf(dockerfile: string): Stage[] {
  const lines = read(dockerfile).replaceAll('\\\n', ' ').split('\n');
  const stages: Stage[] = [];
  for (const line of lines.filter((it) => it !== '' && !it.startsWith('#'))) {
    const image = /^FROM (\S+)/.exec(line)?.[1];
    if (image === undefined) stages.at(-1)?.lines.push(line);
    else stages.push({ image, lines: [] });
  }
  return stages;
}

function wordsOf(stage: Stage | undefined, instruction: string): string[][] {
  const found = stage?.lines.filter((line) => line.startsWith(`${instruction} `)) ?? [];
  return found.map((line) => line.split(/\s+/).slice(1));
}

describe.each([
  ['api', 'PORT'],
  ['spawner', 'SPAWNER_PORT'],
  ['web', 'WEB_PORT'],
] as const)('the image of the %s', (service, port) => {
  const stages = stagesOf(`infra/docker/${service}.Dockerfile`);
  const last = stages.at(-1);

  test('is built in stages, from one pinned base that is as new as package.json wants', () => {
    expect(stages).toHaveLength(2);
    const bases = new Set(stages.map(({ image }) => image));
    expect([...bases]).toEqual([expect.stringMatching(/^node:20\.(19|[2-9]\d)\.\d+-bookworm-slim$/)]);
    const { packageManager } = JSON.parse(read('package.json'));
    expect(read(`infra/docker/${service}.Dockerfile`)).toContain(`npm install --global ${packageManager}\n`);
  });

  test('takes nothing but what is there', () => {
    const copied = wordsOf(last, 'COPY').map((words) => words.slice(1));
    expect(copied.length).toBeGreaterThan(5);
    for (const [from = '', to] of copied) {
      const file = from.replace('/app/', '');
      expect(to).toBe(`./${file}`);
      expect([file, file === 'node_modules' || isThere(file)]).toEqual([file, true]);
    }
  });

  test('has every package that its services need', () => {
    const folders = wordsOf(last, 'COPY').map((words) => words[1]?.replace('/app/', '') ?? '');
    const ours = ['packages', 'services'].flatMap((kind) =>
      readdirSync(path.join(ROOT, kind)).map((name) => `${kind}/${name}`),
    );
    const packages = new Map(
      ours
        .filter((folder) => isThere(`${folder}/package.json`))
        .map((folder) => [JSON.parse(read(`${folder}/package.json`)).name as string, folder]),
    );
    for (const folder of folders.filter((it) => /^(packages|services)\//.test(it))) {
      const { dependencies = {} } = JSON.parse(read(`${folder}/package.json`));
      for (const name of Object.keys(dependencies).filter((it) => packages.has(it))) {
        expect(folders).toContain(packages.get(name));
      }
    }
  });

  test('runs as an ordinary user under tini, and knows no variable but ours', () => {
    expect(wordsOf(last, 'USER')).toEqual([['node']]);
    expect(last?.lines.find((line) => line.startsWith('ENTRYPOINT'))).toMatch(
      /^ENTRYPOINT \["tini", "-s", "--"/,
    );
    for (const [assignment = ''] of wordsOf(last, 'ENV'))
      expect(isVariable(assignment.split('=')[0] ?? '')).toBe(true);
  });

  test('listens where it says, and its health check asks there', () => {
    expect(wordsOf(last, 'EXPOSE')).toEqual([[defaultOf(port)]]);
    const health = last?.lines.find((line) => line.startsWith('HEALTHCHECK'));
    expect(health).toContain(`CMD ["node", "infra/docker/is-ready.mjs", "${port}", "${defaultOf(port)}"]`);
  });
});

test('the api starts with plain node, the spawner in the loop that its agents outlive it by', () => {
  const command = (service: string) => read(`infra/docker/${service}.Dockerfile`).trim().split('\n').at(-1);
  expect(command('api')).toBe('CMD ["node", "services/api/dist/main.js"]');
  expect(command('web')).toBe('CMD ["node", "services/web/dist/main.js"]');
  expect(command('spawner')).toContain('/app/infra/docker/spawner-loop.sh');
});

test('no image is built from what may hold secrets, or was built here', () => {
  const ignored = read('.dockerignore').split('\n');
  expect(ignored).toEqual(
    expect.arrayContaining(['.env', '.git', '.greenroom', '**/node_modules', '**/dist']),
  );
});

describe('docker-compose.yml', () => {
  const compose = parse(read('docker-compose.yml'), { merge: true });
  const { redis, livekit, api, spawner, web } = compose.services;

  test('runs Redis, LiveKit, the api and a spawner, each pinned or built here, each watched', () => {
    expect(Object.keys(compose.services)).toEqual(['redis', 'livekit', 'api', 'spawner', 'web']);
    for (const { image } of [redis, livekit]) expect(image).toMatch(/^[a-z/-]+:v?\d+\.\d+\.\d+/);
    for (const { build } of [api, spawner, web]) expect(isThere(build.dockerfile)).toBe(true);
    for (const it of [redis, livekit]) expect(it.healthcheck.test[0]).toBe('CMD');
    for (const it of [api, spawner]) {
      expect(it.depends_on).toEqual({
        redis: { condition: 'service_healthy' },
        livekit: { condition: 'service_healthy' },
      });
    }
    expect(redis.command.join(' ')).toContain('--maxmemory-policy noeviction');
  });

  test('sets variables that exist, and no secret', () => {
    for (const { environment } of [api, spawner, web]) {
      for (const [name, value] of Object.entries<string>(environment)) {
        expect([name, isVariable(name)]).toEqual([name, true]);
        if (!ENVIRONMENT[name as VariableName].secret || name === 'REDIS_URL') continue;
        expect(value).toMatch(/^\$\{[A-Z_]+\}$/);
      }
    }
    expect(api.ports).toEqual([`${defaultOf('PORT')}:${api.environment.PORT}`]);
    expect(web.ports).toEqual([`${defaultOf('WEB_PORT')}:${web.environment.WEB_PORT}`]);
    expect(web.environment.API_URL).toBe(`http://api:${api.environment.PORT}`);
    expect(web.networks.default.ipv4_address).toBe(api.environment.TRUST_PROXY);
    expect(web.depends_on).toEqual({ api: { condition: 'service_healthy' } });
  });

  test('waits longer for the spawner than the spawner waits for its calls', () => {
    expect(spawner.environment.SHUTDOWN_MODE).toBe('drain');
    const graceSeconds = Number(/^(\d+)m$/.exec(spawner.stop_grace_period)?.[1]) * 60;
    expect(graceSeconds).toBeGreaterThanOrEqual(Number(spawner.environment.DRAIN_TIMEOUT) + 60);
    // The api takes requests until its proxies know, and then has 10 s.
    expect(Number.parseInt(api.stop_grace_period, 10)).toBeGreaterThan(
      Number(defaultOf('API_DRAIN_DELAY')) + 10,
    );
  });

  test('configures a LiveKit that starts, makes no room by itself and tells the api', async () => {
    const values: Record<string, string> = { LIVEKIT_API_KEY: 'key', LIVEKIT_API_SECRET: 's'.repeat(32) };
    const written = (livekit.environment.LIVEKIT_CONFIG as string).replaceAll(
      /\$\{(\w+)[^}]*\}/g,
      (_, name: string) => values[name] ?? '',
    );
    const config = parse(written);
    expect(config).toMatchObject({
      port: 7880,
      room: { auto_create: false },
      keys: { key: values['LIVEKIT_API_SECRET'] },
      webhook: { api_key: 'key', urls: ['http://127.0.0.1:8080/api/webhooks/livekit'] },
    });
    const port = await freePort();
    const here = {
      ...config,
      port,
      bind_addresses: ['127.0.0.1'],
      rtc: { ...config.rtc, tcp_port: await freePort(), udp_port: await freePort(), node_ip: '127.0.0.1' },
    };
    const server = await startProcess({
      command: findLiveKitServer(),
      env: { LIVEKIT_CONFIG: JSON.stringify(here) },
      readyWhen: { url: `http://127.0.0.1:${port}` },
    });
    await server.stop({ signal: 'SIGKILL' });
  });
});

describe.each(['api', 'spawner', 'web'])('Railway’s %s', (service) => {
  const { build, deploy } = JSON.parse(read(`infra/railway/${service}.railway.json`));

  test('is built from its image and asked whether it is ready', () => {
    expect(build).toEqual({ builder: 'DOCKERFILE', dockerfilePath: `infra/docker/${service}.Dockerfile` });
    expect(isThere(build.dockerfilePath)).toBe(true);
    expect(deploy.healthcheckPath).toBe('/readyz');
    // Railway refuses texts here, though its documentation shows them.
    for (const name of ['overlapSeconds', 'drainingSeconds', 'healthcheckTimeout']) {
      expect(deploy[name]).toEqual(expect.any(Number));
    }
  });

  test('is killed later than it needs, with what the page says to set', () => {
    const drainTimeout = Number(/`DRAIN_TIMEOUT=(\d+)`/.exec(read('infra/railway/README.md'))?.[1]);
    const needsSeconds =
      { api: Number(defaultOf('API_DRAIN_DELAY')) + 10, spawner: drainTimeout + 60, web: 5 }[service] ?? NaN;
    expect(deploy.drainingSeconds).toBeGreaterThanOrEqual(needsSeconds);
  });
});
