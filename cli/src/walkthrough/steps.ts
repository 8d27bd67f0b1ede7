import { describeError } from '@openledger/kit';
import type { Hex } from 'viem';

export type StepResult = {
  readonly name: string;
  readonly ok: boolean;
  readonly txHash?: Hex;
  readonly detail: string;
};
export type StepOutcome = { readonly detail: string; readonly txHash?: Hex; readonly look?: string };

/** A step that didn't hold. The message is the reason that is printed. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';
}

export const check: (condition: boolean, reason: string) => asserts condition = (condition, reason) => {
  if (!condition) throw new StepFailed(reason);
};

/** Runs steps one after another, prints each, and stops at the first that doesn't hold. */
export class StepRunner {
  readonly results: StepResult[] = [];
  readonly #say: (line: string) => void;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  /** Returns whether it held. */
  async run(name: string, step: () => Promise<StepOutcome>): Promise<boolean> {
    const started = performance.now();
    try {
      const { detail, txHash, look } = await step();
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      this.results.push({ name, ok: true, detail, ...(txHash ? { txHash } : {}) });
      this.#say(`✓ ${name} (${seconds} s): ${detail}`);
      if (txHash) this.#say(`    tx ${txHash}`);
      if (look) this.#say(`    look: ${look}`);
      return true;
    } catch (error) {
      const detail = describeError(error);
      this.results.push({ name, ok: false, detail });
      this.#say(`✗ ${name}: ${detail}`);
      return false;
    }
  }
}
