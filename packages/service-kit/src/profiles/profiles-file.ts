import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { findNearMiss } from '../config/near-miss.js';
import { type ProfileSettings, parseProfile, type SchemaProblem, settingsAt } from './profile-schema.js';

type Path = readonly (string | number)[];

/** What a profiles file says, and everything that is wrong with it. */
export interface ProfilesFile {
  /** Those that are right in themselves. */
  readonly profiles: ReadonlyMap<string, ProfileSettings>;
  readonly problems: readonly string[];
  /** A problem that only its reader can find, with the file, the line and the path of its place. */
  problemAt(path: Path, message: string): string;
}

const PROFILE_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const MAX_PROFILES = 100;
/** What the parser and the checks say when they run out of stack. */
const TOO_DEEP = /Maximum call stack/;
const EXAMPLE = 'Write `profiles:` and below it a name, and below that its settings; see docs/profiles.md';

/**
 * Reads YAML, and so JSON too.
 *
 * @param file its name in what is reported
 */
export function parseProfilesFile(source: string, file: string): ProfilesFile {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  const found: { offset: number; message: string }[] = [];
  const tell = ({ offset, message }: { offset: number; message: string }): string =>
    `${file}:${lines.linePos(offset).line} ${TOO_DEEP.test(message) ? 'is nested too deeply to be read' : message}`;
  const placed = (at: Path, message: string) => ({
    offset: findOffset(document, at),
    message: [toText(at), message].filter(Boolean).join(' '),
  });
  const report: Report = (at, message) => found.push(placed(at, message));

  for (const { pos, message } of document.errors) found.push({ offset: pos[0], message });
  const isReadable = document.errors.every(({ code }) => code === 'DUPLICATE_KEY');
  const profiles = readProfiles(isReadable ? readWritten(document, report) : {}, report);
  return {
    profiles,
    problems: [
      ...new Set(
        found.toSorted((a, b) => lines.linePos(a.offset).line - lines.linePos(b.offset).line).map(tell),
      ),
    ],
    problemAt: (at, message) => tell(placed(at, message)),
  };
}

type Report = (at: Path, message: string) => void;

function readProfiles(written: Record<string, unknown>, report: Report): Map<string, ProfileSettings> {
  const profiles = new Map<string, ProfileSettings>();
  for (const [name, value] of Object.entries(written)) {
    const at = ['profiles', name];
    if (!PROFILE_NAME.test(name)) {
      report(at, 'is no name of a profile: 1 to 64 letters, digits, _ and -, a letter or digit first');
    }
    const parsed = parseProfile(value);
    if ('settings' in parsed) profiles.set(name, parsed.settings);
    else for (const problem of parsed.problems) report([...at, ...problem.path], explain(problem));
  }
  return profiles;
}

/** What stands below `profiles`. */
function readWritten(document: Document, report: Report): Record<string, unknown> {
  let content: unknown;
  try {
    content = document.toJS();
  } catch (error) {
    report([], (error as Error).message);
    return {};
  }
  if (!isMapping(content) || !isMapping(content['profiles'])) {
    report([], `has no profiles. ${EXAMPLE}`);
    return {};
  }
  for (const key of Object.keys(content)) {
    if (key !== 'profiles') report([key], 'is unknown: all that may stand there is profiles');
  }
  const count = Object.keys(content['profiles']).length;
  if (count === 0) report(['profiles'], `is empty. ${EXAMPLE}`);
  if (count > MAX_PROFILES) report(['profiles'], `are ${count}, and may be ${MAX_PROFILES}`);
  return content['profiles'];
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function explain({ type, message, path: at, value }: SchemaProblem): string {
  if (type === 'object.unknown' && at[0] !== 'variables') return explainUnknown(at);
  if (type === 'object.base') return `${message}, not ${show(value)}`;
  if (type === 'any.required') return 'is missing';
  const tellsNothingMore = type.startsWith('object.') || type === 'array.unique' || type === 'any.custom';
  return tellsNothingMore || value === undefined || isSecret(at) ? message : `${message}, not ${show(value)}`;
}

/** The value of a variable may be a key. */
function isSecret(at: Path): boolean {
  return at[0] === 'variables';
}

/** As for variables of the environment: `startup_timeout` and `startupTimeoutMs` are `startupTimeout`. */
function explainUnknown(at: Path): string {
  const name = String(at.at(-1));
  const known = settingsAt(at.slice(0, -1));
  const meant = known.find((it) => inCapitals(it) === inCapitals(name));
  const near = findNearMiss(inCapitals(name), known.map(inCapitals));
  const longer = known.filter((it) => name.length > 2 && it.startsWith(name));
  const suggested =
    meant ?? known.find((it) => inCapitals(it) === near) ?? (longer.length === 1 ? longer[0] : undefined);
  if (suggested !== undefined) return `is no setting; did you mean ${suggested}?`;
  return known.length === 0 ? 'is no setting' : `is no setting; those here are ${known.join(', ')}`;
}

function inCapitals(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toUpperCase();
}

function show(value: unknown): string {
  try {
    return (JSON.stringify(value) ?? String(value)).slice(0, 100);
  } catch {
    return 'what contains itself';
  }
}

function toText(at: Path): string {
  return at
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${part}`))
    .join('');
}

/** Where a path, or as much of it as there is, begins in the text. */
function findOffset(document: Document, at: Path): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const part of at) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.findLast(({ key }) => isScalar(key) && String(key.value) === String(part));
      if (pair === undefined) break;
      offset = isScalar(pair.key) ? (pair.key.range?.[0] ?? offset) : offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      offset = (node as { range?: [number, number, number] } | undefined)?.range?.[0] ?? offset;
    } else break;
  }
  return offset;
}
