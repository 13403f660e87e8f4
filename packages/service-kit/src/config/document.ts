import { ENVIRONMENT, VARIABLE_NAMES } from './environment.js';

/** Read from the environment by the services, but of no use to an operator. */
const INTERNAL = new Set(['NODE_ENV']);

const DOCUMENTED = VARIABLE_NAMES.filter((name) => !INTERNAL.has(name));

/** The text of `.env.example`: every variable with what it is for; required ones stand without a comment sign. */
export function renderEnvExample(): string {
  const entries = DOCUMENTED.map((name) => {
    const { about, defaultText, optional } = ENVIRONMENT[name];
    const isRequired = defaultText === undefined && !optional;
    return `# ${about}.\n${isRequired ? '' : '#'}${name}=${defaultText ?? ''}\n`;
  });
  return `# Configuration of Greenroom. Copy to .env and uncomment what you change; the environment wins over the file.
# Durations are seconds. What is commented out shows the default. \`npm start\` fills in REDIS_URL and LIVEKIT_* by itself.

${entries.join('\n')}`;
}

/** The same as a Markdown table, for the README. */
export function renderConfigTable(): string {
  const rows = DOCUMENTED.map((name) => {
    const { about, defaultText, optional } = ENVIRONMENT[name];
    const fallback = defaultText === undefined ? (optional ? '' : 'required') : `\`${defaultText}\``;
    return `| \`${name}\` | ${defaultText === '' ? '' : fallback} | ${about} |`;
  });
  return `| variable | default | what it is |\n|---|---|---|\n${rows.join('\n')}\n`;
}
