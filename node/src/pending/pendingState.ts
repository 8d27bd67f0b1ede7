import type { StateDiff } from '../state/stateChanges.ts';
import type { StateView } from '../state/stateStore.ts';

/**
 * The state of an open block at one moment: its parent's and what was written since, copied. The open execution's own state
 * is never shared, so reading here and executing there don't get into each other's way.
 */
export class PendingState {
  readonly #parent: () => Promise<StateView>;
  readonly #diffs: readonly StateDiff[];
  #shared: Promise<StateView> | undefined;

  /** `parent` makes a view of the parent's state that nobody else has. */
  constructor(parent: () => Promise<StateView>, diffs: readonly StateDiff[] = []) {
    this.#parent = parent;
    this.#diffs = diffs;
  }

  after(diff: StateDiff): PendingState {
    return new PendingState(this.#parent, [...this.#diffs, diff]);
  }

  /** For the caller alone: what is written through it is seen by nobody else. */
  async view(): Promise<StateView> {
    const view = await this.#parent();
    for (const diff of this.#diffs) await view.manager.applyDiff(diff);
    return view;
  }

  /** Read-only, made once. */
  shared(): Promise<StateView> {
    this.#shared ??= this.view();
    return this.#shared;
  }
}
