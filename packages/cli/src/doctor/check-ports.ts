import { failure, type Finding, ok, warning } from './finding.js';
import type { PortOwner } from './port-owner.js';

export interface ExpectedPort {
  readonly check: string;
  /** Whose it is to be. */
  readonly name: string;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
  /** Recognises ours by its command line. */
  readonly command: RegExp;
  /** The environment variable that chooses another port; without one the next free one is taken. */
  readonly variable?: string;
  /** Who is to be there answers there: then whoever holds the port is right. */
  readonly answers: boolean;
}

/** Whether what Greenroom listens on is free, or held by Greenroom. */
export function judgePort(expected: ExpectedPort, owner: PortOwner | undefined): Finding {
  const { check, name, port, protocol, command, variable, answers } = expected;
  const what = `Port ${port}${protocol === 'udp' ? '/udp' : ''}`;
  if (owner === undefined) {
    return ok(
      check,
      answers
        ? `${what}: ${name} answers, from outside of this machine's view.`
        : `${what} is free for ${name}.`,
    );
  }
  const holder = describe(owner);
  if (answers || command.test(owner.command ?? ''))
    return ok(check, `${what} is held by ${name} (${holder}).`);
  if (variable === undefined) {
    return warning(
      check,
      `${what}, usual for ${name}, is held by ${holder}.`,
      'Nothing to do with npm start, which takes the next free one; else give it another port in its configuration.',
    );
  }
  const end = owner.pid === undefined ? 'End that program (as root: ss -lptn shows it)' : `kill ${owner.pid}`;
  return failure(
    check,
    `${what}, which ${name} needs, is held by ${holder}.`,
    `${end}, or choose another port: ${variable}=${port + 10}`,
  );
}

function describe({ pid, command }: PortOwner): string {
  if (pid === undefined) return 'a process of another user';
  return `pid ${pid}: ${shorten(withoutSecrets(command ?? ''))}`;
}

/** It is another's command line: `livekit-server --keys` has a secret in it, and what we say is passed on to whoever helps. */
function withoutSecrets(command: string): string {
  return command
    .replace(/((?:^|\s)--?[\w-]*(?:key|secret|pass|token|auth|cred)[\w-]*).*$/is, '$1 …')
    .replace(/:\/\/[^\s/@]+@/g, '://***@');
}

function shorten(command: string): string {
  const short = command.replace(/\/\S*\/(?=(?:[^/\s]+\/){2}[^/\s]+(?:\s|$))/g, '…/');
  return short.length > 70 ? `${short.slice(0, 69)}…` : short;
}
