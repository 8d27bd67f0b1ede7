import type { ProvisionalEntry, WithdrawnEntry } from './types.ts';

/** Withdrawn builds that late readers may still have to be told of. */
const REMEMBERED = 32;

/** How far a reader has been told of the block under construction. */
export type ProvisionalPlace = { readonly payloadId: string | undefined; readonly entries: number };

/**
 * What is told of the block under construction before it is in the log. Never written; at most one block's worth is held.
 */
export class ProvisionalEntries {
  readonly #wake: () => void;
  #open: ProvisionalEntry[] = [];
  #withdrawn: WithdrawnEntry[] = [];

  /** `wake` is called when there is something new. */
  constructor(wake: () => void) {
    this.#wake = wake;
  }

  publish(entry: ProvisionalEntry): void {
    if (this.#open[0]?.payloadId !== entry.payloadId) this.#open = [];
    this.#open.push(entry);
    this.#wake();
  }

  /** The block is in the log. */
  clear(): void {
    this.#open = [];
  }

  /** The block won't come: whoever was told of it is told so. */
  withdraw(): void {
    const [first] = this.#open;
    this.#open = [];
    if (!first) return;
    const { number, parentHash, payloadId } = first;
    this.#withdrawn = [...this.#withdrawn.slice(1 - REMEMBERED), { kind: 'withdrawn', number, parentHash, payloadId }];
    this.#wake();
  }

  /** What a reader at `place` hasn't been told, as long as the open block follows the log's head. */
  since(place: ProvisionalPlace, headHash: string): (ProvisionalEntry | WithdrawnEntry)[] {
    const withdrawn = this.#withdrawn.filter(({ payloadId }) => payloadId === place.payloadId);
    const [first] = this.#open;
    if (first?.parentHash !== headHash) return withdrawn;
    const told = first.payloadId === place.payloadId ? place.entries : 0;
    return [...withdrawn, ...this.#open.slice(told)];
  }
}
