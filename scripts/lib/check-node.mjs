// First import of every entry: nothing below it may run on a Node that cannot run the rest.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Greenroom needs Node 20.19 or newer; this is ${process.version} (${process.execPath}).`);
  console.error('Install a current one, for example from your package manager or with nvm: nvm install 20');
  process.exit(1);
}
