/** What is loaded, or loading: each thing once. A failure is not remembered. */
export class LoadMemory {
  readonly #loads = new Map<string, Promise<unknown>>();

  once<T>(key: string, load: () => Promise<T>): Promise<T> {
    const known = this.#loads.get(key) as Promise<T> | undefined;
    if (known) return known;
    const loading = load().catch((error) => {
      if (this.#loads.get(key) === loading) this.#loads.delete(key);
      throw error;
    });
    this.#loads.set(key, loading);
    return loading;
  }

  delete(key: string): void {
    this.#loads.delete(key);
  }

  clear(): void {
    this.#loads.clear();
  }
}
