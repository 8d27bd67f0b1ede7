import type { Address } from 'viem';

/** Numbers for accounts, so that millions of records hold four bytes instead of a string. */
export class AccountTable {
  readonly #addresses: Address[] = [];
  readonly #numbers = new Map<Address, number>();

  get size(): number {
    return this.#addresses.length;
  }

  /** Addresses of events are lowercase, those of a configuration may carry a checksum. */
  number(address: Address): number {
    const key = address.toLowerCase() as Address;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#addresses.length;
      this.#addresses.push(key);
      this.#numbers.set(key, number);
    }
    return number;
  }

  find(address: Address): number | undefined {
    return this.#numbers.get(address.toLowerCase() as Address);
  }

  address(number: number): Address {
    const address = this.#addresses[number];
    if (address === undefined) throw new RangeError(`no account ${number}`);
    return address;
  }

  /** All numbers, in the order of the addresses. */
  sorted(): Uint32Array {
    const numbers = Uint32Array.from(this.#addresses.keys());
    const addresses = this.#addresses as string[];
    return numbers.sort((a, b) => ((addresses[a] as string) < (addresses[b] as string) ? -1 : 1));
  }
}
