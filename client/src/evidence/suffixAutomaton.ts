type State = { length: number; link: number; readonly next: Map<string, number> };

/**
 * The suffix automaton of an output's words: read another text through it, and it tells for each place of the output how
 * long a row of words ending there stands in that text. Linear in both, whatever repeats.
 */
export class SuffixAutomaton {
  readonly #states: State[] = [{ length: 0, link: -1, next: new Map() }];
  /** The state of the output's first i + 1 words. */
  readonly #prefixes: number[] = [];

  constructor(output: readonly string[]) {
    let last = 0;
    for (const word of output) {
      last = this.#extend(last, word);
      this.#prefixes.push(last);
    }
  }

  /** For each word of the output the number of words in a row, itself the last, that `text` holds somewhere in a row. */
  matchLengths(text: readonly string[]): Uint32Array {
    const longest = this.#longestByState(text);
    const lengths = new Uint32Array(this.#prefixes.length);
    for (const [place, prefix] of this.#prefixes.entries()) {
      // States up the links stand for ever shorter ends of the same prefix: the first one reached is the longest.
      let state = prefix;
      while (state > 0 && !longest.has(state)) state = this.#at(state).link;
      lengths[place] = state > 0 ? (longest.get(state) ?? 0) : 0;
    }
    return lengths;
  }

  #extend(last: number, word: string): number {
    const added = this.#push({ length: this.#at(last).length + 1, link: 0, next: new Map() });
    let state = last;
    while (state >= 0 && !this.#at(state).next.has(word)) {
      this.#at(state).next.set(word, added);
      state = this.#at(state).link;
    }
    if (state >= 0) this.#at(added).link = this.#split(state, word);
    return added;
  }

  /** The state that is reached from `state` by one word and stands for no longer rows than that. */
  #split(state: number, word: string): number {
    const reached = this.#at(state).next.get(word) ?? 0;
    const { length, link, next } = this.#at(reached);
    if (length === this.#at(state).length + 1) return reached;
    const copy = this.#push({ length: this.#at(state).length + 1, link, next: new Map(next) });
    this.#at(reached).link = copy;
    for (let above = state; above >= 0 && this.#at(above).next.get(word) === reached; above = this.#at(above).link) {
      this.#at(above).next.set(word, copy);
    }
    return copy;
  }

  /** The longest match that the text reaches in each state, and so in the states up its links. */
  #longestByState(text: readonly string[]): Map<number, number> {
    const longest = new Map<number, number>();
    let state = 0;
    let length = 0;
    for (const word of text) {
      let next = this.#at(state).next.get(word);
      while (next === undefined && state > 0) {
        state = this.#at(state).link;
        length = this.#at(state).length;
        next = this.#at(state).next.get(word);
      }
      if (next === undefined) continue;
      state = next;
      length++;
      if (length > (longest.get(state) ?? 0)) longest.set(state, length);
    }
    for (const reached of [...longest.keys()]) {
      for (let above = this.#at(reached).link; above > 0; above = this.#at(above).link) {
        if (longest.get(above) === this.#at(above).length) break;
        longest.set(above, this.#at(above).length);
      }
    }
    return longest;
  }

  #push(state: State): number {
    return this.#states.push(state) - 1;
  }

  #at(state: number): State {
    const found = this.#states[state];
    if (!found) throw new RangeError(`no state ${state}`);
    return found;
  }
}
