import addShellCompletion from '@bomb.sh/tab/commander';
import type { Command } from 'commander';
import { AdminApi } from '../api/admin-api.js';
import { clean } from '../output/clean.js';
import { type CommandContext, openHttp } from '../context.js';

/** Names that a shell may offer, as the api has them now. */
export interface Names {
  readonly sessions: readonly Name[];
  readonly profiles: readonly Name[];
  readonly hosts: readonly Name[];
}

interface Name {
  readonly value: string;
  readonly about: string;
}

export const NO_NAMES: Names = { sessions: [], profiles: [], hosts: [] };

/** Shells expand what they are offered; a name with anything else in it has to be typed. */
const SAFE = /^[\w@%+=:,./-]+$/;

/** Where a shell asks while somebody waits with a finger on Tab. */
const LIMIT_MS = 1_500;

/** `greenroom completion SHELL` prints what the shell sources; that calls `greenroom complete -- …` at each Tab. */
export function addCompletion(program: Command, names: Names): void {
  const completion = addShellCompletion(program, { completionCommandName: 'completion' });
  const offer = (list: readonly Name[]) => (complete: (value: string, about: string) => void) => {
    for (const { value, about } of list) if (SAFE.test(value)) complete(value, clean(about));
  };
  for (const command of completion.commands.values()) {
    const { id, host } = { id: command.arguments.get('id'), host: command.arguments.get('host') };
    if (id !== undefined) id.handler = offer(names.sessions);
    if (host !== undefined) host.handler = offer(names.hosts);
    const options = { profile: command.options.get('profile'), host: command.options.get('host') };
    if (options.profile !== undefined) options.profile.handler = offer(names.profiles);
    if (options.host !== undefined) options.host.handler = offer(names.hosts);
  }
}

/** What the api has, or nothing where it does not answer at once: a shell must not hang. */
export async function readNames({ environment }: CommandContext): Promise<Names> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('too late')), { once: true });
  });
  const inTime = <T>(answer: Promise<T[]>): Promise<T[]> => Promise.race([answer, late]).catch(() => []);
  try {
    const api = new AdminApi(openHttp(environment.apiUrl, environment.adminToken));
    const [sessions, profiles, hosts] = await Promise.all([
      inTime(api.liveSessions()),
      inTime(api.profiles()),
      inTime(api.hosts()),
    ]);
    return {
      sessions: sessions.map(({ sessionId, status, userId, profile }) => ({
        value: sessionId,
        about: [status, userId ?? '', profile].filter(Boolean).join(', '),
      })),
      profiles: profiles.map(({ name, description = '' }) => ({ value: name, about: description })),
      hosts: hosts.map(({ host, state }) => ({ value: host, about: state })),
    };
  } catch {
    return NO_NAMES;
  }
}
