/** Pools and hosts, and what can be done with them. */
export function HostsScreen() {
  return <h1>Hosts & pool</h1>;
}
