import { type Address, encodeAbiParameters, encodeFunctionData, type Hex, keccak256, parseAbi, toHex } from 'viem';
import { addressOf } from './accounts.ts';

/** A call without what only the sender knows. */
export type Call = { readonly to: Address; readonly gas: bigint; readonly value: bigint; readonly data: Hex };

export type Workload = {
  readonly name: string;
  /** Transactions of a block, each from another sender. */
  readonly count: number;
  call(block: number, index: number): Call;
};

export const contractAddresses = {
  Token: '0x00000000000000000000000000000000000b0001',
  Recorder: '0x00000000000000000000000000000000000b0002',
  Sink: '0x00000000000000000000000000000000000b0003',
  Loop: '0x00000000000000000000000000000000000b0004',
} as const satisfies Record<string, Address>;

const abi = parseAbi([
  'function transfer(address to, uint256 value)',
  'function record(uint256 id, bytes data)',
  'function take(bytes data)',
  'function run(uint256 seed, uint256 rounds)',
]);

const LOOP_ROUNDS = 10_000n;

/** Bytes that don't compress and have hardly a zero among them, different for every seed. */
const noise = (seed: string, length: number): Hex => {
  const words = Array.from({ length: length / 32 }, (_, index) => keccak256(toHex(`${seed} ${index}`)));
  return `0x${words.map((word) => word.slice(2)).join('')}`;
};

/** Storage of an ERC-20's genesis: OpenZeppelin keeps balances in slot 0, the supply in slot 2. */
export const tokenStorage = (holders: readonly Address[], balance: bigint): Record<Hex, Hex> => {
  const slotOf = (holder: Address) =>
    keccak256(encodeAbiParameters([{ type: 'address' }, { type: 'uint256' }], [holder, 0n]));
  const word = (value: bigint) => toHex(value, { size: 32 });
  return {
    ...Object.fromEntries(holders.map((holder) => [slotOf(holder), word(balance)])),
    [word(2n)]: word(balance * BigInt(holders.length)),
  };
};

export const transfer = (to: Address): Call => ({ to, gas: 21_000n, value: 1n, data: '0x' });
export const tokenTransfer = (to: Address): Call => ({
  to: contractAddresses.Token,
  gas: 60_000n,
  value: 0n,
  data: encodeFunctionData({ abi, functionName: 'transfer', args: [to, 1n] }),
});

/** The five of the EVM research: many small transactions, storage, calldata, the interpreter. */
export const workloads: readonly Workload[] = [
  { name: 'a_transfers', count: 1_000, call: (block, index) => transfer(addressOf(`a ${block} ${index}`)) },
  { name: 'b_erc20', count: 1_000, call: (block, index) => tokenTransfer(addressOf(`b ${block} ${index}`)) },
  {
    name: 'c_storage',
    count: 200,
    call: (block, index) => {
      const args = [BigInt(block * 1_000 + index), noise(`c ${block} ${index}`, 2_048)] as const;
      return call(contractAddresses.Recorder, 300_000n, encodeFunctionData({ abi, functionName: 'record', args }));
    },
  },
  {
    name: 'd_calldata',
    count: 100,
    call: (block, index) => {
      const args = [noise(`d ${block} ${index}`, 32_768)] as const;
      return call(contractAddresses.Sink, 1_400_000n, encodeFunctionData({ abi, functionName: 'take', args }));
    },
  },
  {
    name: 'e_loop',
    count: 20,
    call: (block, index) => {
      const args = [BigInt(block * 1_000 + index), LOOP_ROUNDS] as const;
      return call(contractAddresses.Loop, 2_000_000n, encodeFunctionData({ abi, functionName: 'run', args }));
    },
  },
];

const call = (to: Address, gas: bigint, data: Hex): Call => ({ to, gas, value: 0n, data });
