/** The operators' console. */
export function ConsolePage() {
  return (
    <main>
      <h1>Greenroom console</h1>
    </main>
  );
}
