import { isTcpPortFree, ownerOfPort } from '../ports.mjs';
import { SetupError } from '../ui.mjs';

/** @throws SetupError that names who holds a port that a service needs, and what to do */
export async function checkServicePorts(settings) {
  const host = settings.HOST ?? '::';
  for (const [variable, byDefault] of [
    ['PORT', '8080'],
    ['SPAWNER_PORT', '8081'],
    ['WEB_PORT', '3000'],
  ]) {
    const port = Number(settings[variable] ?? byDefault);
    // A wrong number is for the service's own check of its settings to name.
    if (!Number.isInteger(port) || port < 1 || port > 65_535) continue;
    if ((await isTcpPortFree(port, host)) && (await isTcpPortFree(port))) continue;
    throw portInUse(variable, port);
  }
}

function portInUse(variable, port) {
  const owner = ownerOfPort(port);
  const end = owner?.pid ? `end it (kill ${owner.pid})` : 'end that program';
  return new SetupError(`Port ${port} is in use ${describeOwner(owner)}.`, {
    next: `${end}, or choose another port: ${variable}=${port + 10} npm start`,
  });
}

function describeOwner(owner) {
  if (!owner) return 'by something outside of this machine’s view (another container or namespace)';
  if (!owner.pid) return 'by a process of another user';
  return `by pid ${owner.pid} (${owner.command.slice(0, 120)})`;
}
