const REQUEST_LIMIT_MS = 15_000;

/** Requests through the proxy, each counted: none is ever tried again. */
export class Client {
  failures = [];
  latencies = [];
  #headers;
  #url;

  constructor({ url, adminToken }) {
    this.#url = url;
    this.#headers = { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' };
  }

  get requests() {
    return this.latencies.length + this.failures.length;
  }

  /** @param expected the statuses that are no failure. @returns the body, or undefined for a failure */
  async ask(method, path, expected, body, headers) {
    const startedAt = performance.now();
    try {
      const response = await fetch(`${this.#url}${path}`, {
        method,
        headers: { ...this.#headers, ...headers },
        ...(body && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
      });
      const answer = await response.json();
      if (!expected.includes(response.status)) {
        throw new Error(`answered ${response.status} ${answer.code ?? ''} ${answer.endReason ?? ''}`);
      }
      this.latencies.push(performance.now() - startedAt);
      return answer;
    } catch (error) {
      const cause = error.cause?.code ? ` (${error.cause.code})` : '';
      this.failures.push(
        `${new Date().toISOString().slice(11, 23)} ${method} ${path}: ${error.message}${cause}`,
      );
      return undefined;
    }
  }
}
