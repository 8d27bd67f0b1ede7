import { createBlock } from '@ethereumjs/block';
import type { Common } from '@ethereumjs/common';
import { SimpleStateManager } from '@ethereumjs/statemanager';
import { Account, createAddressFromString } from '@ethereumjs/util';
import { createVM, type VM } from '@ethereumjs/vm';
import { type Address, bytesToHex, type Hex, hexToBytes, numberToBytes, pad } from 'viem';
import { nodeError } from '../errors.ts';

export type GenesisAccount = { balance: bigint; nonce: bigint; code: Hex; storage: Record<Hex, Hex> };
export type GenesisAlloc = Readonly<Record<Address, GenesisAccount>>;

const CALL_GAS = 100_000_000n;
/** Deploys constructors; its own account doesn't stay in the genesis state. */
const BUILDER: Address = '0x00000000000000000000000000000067656e6573';

/**
 * A throw-away EVM in which the genesis state is made by running the contracts' own constructors and initializers, so that
 * immutables and storage layouts are theirs and not ours to guess. `alloc` reads the result.
 */
export class GenesisMachine {
  readonly #vm: VM;
  readonly #state: SimpleStateManager;
  readonly #common: Common;
  readonly #timestamp: bigint;
  readonly #accounts = new Set<Address>();

  private constructor(vm: VM, state: SimpleStateManager, common: Common, timestamp: bigint) {
    this.#vm = vm;
    this.#state = state;
    this.#common = common;
    this.#timestamp = timestamp;
  }

  static async create(common: Common, timestamp: bigint): Promise<GenesisMachine> {
    const state = new SimpleStateManager({ common });
    const vm = await createVM({ common, stateManager: state });
    return new GenesisMachine(vm, state, common, timestamp);
  }

  async setCode(address: Address, code: Hex): Promise<void> {
    this.#accounts.add(address);
    await this.#state.putCode(createAddressFromString(address), hexToBytes(code));
  }

  async setStorage(address: Address, slot: bigint, value: Hex): Promise<void> {
    const bytes = hexToBytes(value);
    const start = bytes.findIndex((byte) => byte !== 0);
    await this.#state.putStorage(
      createAddressFromString(address),
      numberToBytes(slot, { size: 32 }),
      start === -1 ? new Uint8Array() : bytes.subarray(start),
    );
  }

  async setBalance(address: Address, balance: bigint, nonce = 0n): Promise<void> {
    this.#accounts.add(address);
    const account = (await this.#state.getAccount(createAddressFromString(address))) ?? new Account();
    account.balance = balance;
    account.nonce = nonce > account.nonce ? nonce : account.nonce;
    await this.#state.putAccount(createAddressFromString(address), account);
  }

  /** Runs a constructor and puts the runtime code and the storage that it wrote at `address`. */
  async construct(address: Address, creationCode: Hex): Promise<void> {
    const { createdAddress, returned } = await this.#run(BUILDER, undefined, creationCode);
    if (!createdAddress) throw nodeError('BLOCK_INVALID', `constructor at ${address} made no contract`);
    await this.setCode(address, returned);
    const storage = this.#storageOf(createdAddress);
    for (const [slot, value] of Object.entries(storage)) await this.setStorage(address, BigInt(slot), value as Hex);
    await this.#state.deleteAccount(createAddressFromString(createdAddress));
  }

  /** Creates a contract where `from`, at this nonce, would have: for code that knows its own address. */
  async deploy(from: Address, nonce: bigint, creationCode: Hex): Promise<Address> {
    const account = new Account(nonce, 0n);
    await this.#state.putAccount(createAddressFromString(from), account);
    const { createdAddress } = await this.#run(from, undefined, creationCode);
    await this.#state.deleteAccount(createAddressFromString(from));
    if (!createdAddress) throw nodeError('BLOCK_INVALID', `constructor sent by ${from} made no contract`);
    await this.keep(createdAddress);
    return createdAddress;
  }

  /** Takes a contract that a call has created into the genesis state. */
  async keep(address: Address): Promise<void> {
    if ((await this.#state.getCode(createAddressFromString(address))).length === 0) {
      throw nodeError('BLOCK_INVALID', `no contract was created at ${address}`);
    }
    this.#accounts.add(address);
  }

  async call(from: Address, to: Address, data: Hex): Promise<Hex> {
    return (await this.#run(from, to, data)).returned;
  }

  async alloc(): Promise<GenesisAlloc> {
    await this.#state.deleteAccount(createAddressFromString(BUILDER));
    const alloc: Record<Address, GenesisAccount> = {};
    for (const address of [...this.#accounts].sort()) {
      const account = (await this.#state.getAccount(createAddressFromString(address))) ?? new Account();
      alloc[address] = {
        balance: account.balance,
        nonce: account.nonce,
        code: bytesToHex(await this.#state.getCode(createAddressFromString(address))),
        storage: this.#storageOf(address),
      };
    }
    return alloc;
  }

  /** SimpleStateManager keeps slots unhashed under `<address>_<slot>`, which is why it is used here. */
  #storageOf(address: Address): Record<Hex, Hex> {
    const prefix = `${address.toLowerCase()}_`;
    const slots: [Hex, Hex][] = [];
    for (const [key, value] of this.#state.storageStack.at(-1) ?? []) {
      if (!key.startsWith(prefix) || value.length === 0) continue;
      slots.push([key.slice(prefix.length) as Hex, pad(bytesToHex(value))]);
    }
    return Object.fromEntries(slots.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  async #run(
    from: Address,
    to: Address | undefined,
    data: Hex,
  ): Promise<{ returned: Hex; createdAddress: Address | undefined }> {
    const block = createBlock(
      { header: { number: 0n, timestamp: this.#timestamp, gasLimit: CALL_GAS } },
      { common: this.#common, skipConsensusFormatValidation: true },
    );
    const { execResult, createdAddress } = await this.#vm.evm.runCall({
      block,
      caller: createAddressFromString(from),
      origin: createAddressFromString(from),
      ...(to ? { to: createAddressFromString(to) } : {}),
      data: hexToBytes(data),
      gasLimit: CALL_GAS,
      gasPrice: 0n,
      skipBalance: true,
    });
    if (execResult.exceptionError) {
      throw nodeError('BLOCK_INVALID', `genesis call to ${to ?? 'constructor'} failed`, {
        error: execResult.exceptionError.error,
        data: bytesToHex(execResult.returnValue),
      });
    }
    return {
      returned: bytesToHex(execResult.returnValue),
      createdAddress: createdAddress?.toString() as Address | undefined,
    };
  }
}
