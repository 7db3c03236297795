/** What was used of late, as far as there is room: the last used is last, and the first goes. */
export class RecentMap<Value> {
  readonly #entries = new Map<string, { value: Value; weight: number }>();
  readonly #most: { entries: number; weight: number };
  #weight = 0;

  /** @param most how many entries there may be, and what they may weigh together; the last one stays whatever it weighs */
  constructor(most: { entries: number; weight: number }) {
    this.#most = most;
  }

  get(key: string): Value | undefined {
    const found = this.#entries.get(key);
    if (!found) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, found);
    return found.value;
  }

  set(key: string, value: Value, weight: number): void {
    this.#delete(key);
    this.#entries.set(key, { value, weight });
    this.#weight += weight;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size === 1) break;
      if (this.#entries.size <= this.#most.entries && this.#weight <= this.#most.weight) break;
      this.#delete(oldest);
    }
  }

  #delete(key: string): void {
    this.#weight -= this.#entries.get(key)?.weight ?? 0;
    this.#entries.delete(key);
  }
}
