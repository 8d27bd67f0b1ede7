import type { Address } from 'viem';
import type { AccountTable } from './accountTable.ts';

/** Who shares the stakers' part of a runner; in the order of their addresses, no account twice, every stake positive. */
export type Stakers = { readonly accounts: readonly number[]; readonly stakes: readonly bigint[] };

/** Bonds and delegated stake by runner. */
export class Stakes {
  readonly #table: AccountTable;
  readonly #bonds = new Map<Address, bigint>();
  readonly #delegated = new Map<Address, Map<Address, bigint>>();
  readonly #known = new Map<Address, Stakers>();

  constructor(table: AccountTable) {
    this.#table = table;
  }

  setBond(runner: Address, bond: bigint): void {
    this.#bonds.set(runner, bond);
    this.#known.delete(runner);
  }

  setStake(runner: Address, staker: Address, stake: bigint): void {
    const delegated = this.#delegated.get(runner) ?? new Map<Address, bigint>();
    delegated.set(staker, stake);
    this.#delegated.set(runner, delegated);
    this.#known.delete(runner);
  }

  /** The bond counts as the runner's own stake. With neither bond nor stake the part is all the runner's. */
  of(runner: Address): Stakers {
    const known = this.#known.get(runner);
    if (known) return known;
    const all = new Map(this.#delegated.get(runner));
    all.set(runner, (all.get(runner) ?? 0n) + (this.#bonds.get(runner) ?? 0n));
    const positive = [...all].filter(([, stake]) => stake > 0n).sort(([a], [b]) => (a < b ? -1 : 1));
    const entries = positive.length > 0 ? positive : [[runner, 1n] as const];
    const stakers = {
      accounts: entries.map(([address]) => this.#table.number(address)),
      stakes: entries.map(([, stake]) => stake),
    };
    this.#known.set(runner, stakers);
    return stakers;
  }
}
