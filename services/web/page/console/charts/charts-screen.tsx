/** The last hour and day, from the service's own history. */
export function ChartsScreen() {
  return <h1>Charts</h1>;
}
