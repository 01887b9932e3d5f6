/** A map that forgets what was not touched for longest, so that no number of strangers fills the memory. */
export class Recent<Value> {
  readonly #most: number;
  /** Those that were touched last at the end. */
  readonly #values = new Map<string, Value>();

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#values.size;
  }

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  /** Sets the value, and makes it the last to be forgotten. */
  touch(key: string, value: Value): void {
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size <= this.#most) return;
    const [oldest] = this.#values.keys();
    this.#values.delete(oldest!);
  }
}
