/** A binary heap: `pop` gives the item that comes before all others. */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #before: (a: T, b: T) => boolean;

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  push(item: T): void {
    let index = this.#items.push(item) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#swapIfBefore(index, parent)) return;
      index = parent;
    }
  }

  pop(): T | undefined {
    const first = this.#items[0];
    const last = this.#items.pop();
    if (last === undefined || this.#items.length === 0) return first;
    this.#items[0] = last;
    for (let index = 0; ; ) {
      const left = 2 * index + 1;
      const child = this.#isBefore(left + 1, left) ? left + 1 : left;
      if (!this.#swapIfBefore(child, index)) return first;
      index = child;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [one, two] = [this.#items[a], this.#items[b]];
    return one !== undefined && two !== undefined && this.#before(one, two);
  }

  #swapIfBefore(a: number, b: number): boolean {
    const [one, two] = [this.#items[a], this.#items[b]];
    if (one === undefined || two === undefined || !this.#before(one, two)) return false;
    this.#items[a] = two;
    this.#items[b] = one;
    return true;
  }
}
