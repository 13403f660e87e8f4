type Methods<T> = Pick<T, keyof T>;

/** One object with the methods of all of these: what belongs together outside is kept apart by stages inside. */
export function joinStores<A, B, C, D, E>(
  ...stores: [A, B, C, D, E]
): Methods<A> & Methods<B> & Methods<C> & Methods<D> & Methods<E> {
  const methods = stores.flatMap((store) => methodsOf(store as object));
  return Object.fromEntries(methods) as ReturnType<typeof joinStores<A, B, C, D, E>>;
}

function methodsOf(store: object): [string, unknown][] {
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(store)).filter(
    (name) => name !== 'constructor',
  );
  return names.map((name) => [name, (store as Record<string, () => unknown>)[name]?.bind(store)]);
}
