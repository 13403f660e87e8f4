import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { importsOf, sourceFiles } from './imports.mjs';
import { ARROWS, DOORS, IN_A_BROWSER, TEST_PACKAGE } from './rules.mjs';

const SCOPE = '@greenroom/';
const TEST_FILE = /(\.test\.[a-z]+$)|(\/(testing|fixtures)\/)/;

/** Every break of the layers below `root`, one sentence each. */
export function findLayerBreaks(root) {
  const units = readUnits(root);
  return [
    ...units.flatMap(checkKnown),
    ...units.flatMap(checkManifest),
    ...units.flatMap((unit) => sourceFiles(unit.folder).flatMap((file) => checkFile(unit, file, root))),
    ...checkTests(root),
    ...findCycles(units),
  ];
}

function readUnits(root) {
  return ['packages', 'services'].flatMap((kind) =>
    listFolders(join(root, kind))
      .filter((folder) => existsSync(join(folder, 'package.json')))
      .map((folder) => {
        const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
        return { kind, folder, name: manifest.name.replace(SCOPE, ''), manifest };
      }),
  );
}

function listFolders(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name));
}

function checkKnown({ name }) {
  return name in ARROWS ? [] : [`${name} is in no layer; give it a place in scripts/lib/layers/rules.mjs`];
}

function checkManifest({ name, manifest }) {
  const allowed = ARROWS[name] ?? [];
  const breaks = [];
  for (const dependency of ours(manifest.dependencies)) {
    if (!allowed.includes(dependency))
      breaks.push(`${name}: its package.json may not depend on ${dependency}`);
  }
  for (const dependency of ours(manifest.devDependencies)) {
    if (dependency !== TEST_PACKAGE && !allowed.includes(dependency)) {
      breaks.push(`${name}: its package.json may not depend on ${dependency}, not even for tests`);
    }
  }
  for (const [library, door] of Object.entries(DOORS)) {
    const isNamed = library in { ...manifest.dependencies, ...manifest.devDependencies };
    if (isNamed && name !== door)
      breaks.push(`${name}: its package.json names ${library}, which belongs to ${door}`);
  }
  return breaks;
}

function ours(dependencies = {}) {
  return Object.keys(dependencies)
    .filter((name) => name.startsWith(SCOPE))
    .map((name) => name.slice(SCOPE.length));
}

function checkFile(unit, file, root) {
  const where = relative(root, file);
  return importsOf(file).flatMap((specifier) => {
    const problem = specifier.startsWith('.')
      ? relativeProblem(unit, file, specifier)
      : specifier.startsWith(SCOPE)
        ? packageProblem(unit, file, specifier.slice(SCOPE.length))
        : doorProblem(unit, specifier);
    return problem ? [`${where}: imports ${specifier}: ${problem}`] : [];
  });
}

function relativeProblem(unit, file, specifier) {
  const target = resolve(file, '..', specifier);
  if (!target.startsWith(`${unit.folder}/`)) return 'it reaches out of its own package';
  if (/\/src\/main\.(js|ts)$/.test(target))
    return 'main is where everything is put together; nothing imports it';
  return undefined;
}

function packageProblem(unit, file, specifier) {
  const [name, ...inside] = specifier.split('/');
  if (inside.length > 0) return `only what ${name} exports at its front door`;
  if (name === unit.name) return 'a package does not import itself';
  const isTest = TEST_FILE.test(file);
  if (isTest && name === TEST_PACKAGE) return undefined;
  if (!(ARROWS[unit.name] ?? []).includes(name)) return `${unit.name} may not know ${name}`;
  const folder = `${unit.name}/${relative(unit.folder, file).split('/')[0]}`;
  if (!(IN_A_BROWSER[folder] ?? [name]).includes(name))
    return `${folder} runs in a browser and may not know ${name}`;
  const declared = { ...unit.manifest.dependencies, ...(isTest && unit.manifest.devDependencies) };
  return `${SCOPE}${name}` in declared ? undefined : 'it is missing in its package.json';
}

function doorProblem(unit, specifier) {
  const door = DOORS[specifier.split('/')[0]];
  return door && door !== unit.name ? `it belongs to ${door}` : undefined;
}

/** Tests across services see them as a caller would: from outside. */
function checkTests(root) {
  const folder = join(root, 'tests');
  if (!existsSync(folder)) return [];
  return sourceFiles(folder).flatMap((file) =>
    importsOf(file)
      .filter((specifier) => specifier.startsWith('.'))
      .filter((specifier) => resolve(file, '..', specifier).startsWith(join(root, 'services/')))
      .map(
        (specifier) =>
          `${relative(root, file)}: imports ${specifier}: tests run services, they do not import them`,
      ),
  );
}

/** Of what packages say they depend on, for tests aside: each cycle once, starting at its first name. */
function findCycles(units) {
  const edges = new Map(units.map((unit) => [unit.name, ours(unit.manifest.dependencies)]));
  const cycles = new Set();
  const walk = (name, path) => {
    const from = path.indexOf(name);
    if (from >= 0) {
      const cycle = path.slice(from);
      if (cycle.every((other) => name <= other)) cycles.add([...cycle, name].join(' -> '));
      return;
    }
    for (const next of edges.get(name) ?? []) walk(next, [...path, name]);
  };
  for (const name of edges.keys()) walk(name, []);
  return [...cycles].map((cycle) => `packages import each other in a circle: ${cycle}`);
}
