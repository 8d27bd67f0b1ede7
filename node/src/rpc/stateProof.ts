import { getMerkleStateProof } from '@ethereumjs/statemanager';
import { Account, createAddressFromString } from '@ethereumjs/util';
import { type Address, bytesToHex, type Hex, hexToBytes, numberToHex } from 'viem';
import type { ChainReader } from './chainReader.ts';
import type { Json } from './format.ts';
import type { BlockSelector } from './params.ts';

/** EIP-1186: account and storage proofs against the block's state root; keys are echoed as they were asked. */
export const getProof = async (
  chain: ChainReader,
  address: Address,
  keys: readonly { asked: Hex; key: Hex }[],
  selector: BlockSelector,
): Promise<Json> => {
  const block = await chain.requireBlock(selector);
  // A view of its own: proving flushes caches and walks tries, which must not mix with the shared head view.
  const { manager } = await chain.stateOf(block);
  const target = createAddressFromString(address);
  const account = (await manager.getAccount(target)) ?? new Account();
  const proof = await getMerkleStateProof(
    manager,
    target,
    keys.map(({ key }) => hexToBytes(key)),
  );
  return {
    address,
    accountProof: proof.accountProof,
    balance: numberToHex(account.balance),
    codeHash: bytesToHex(account.codeHash),
    nonce: numberToHex(account.nonce),
    storageHash: bytesToHex(account.storageRoot),
    storageProof: keys.map(({ asked }, index) => {
      const entry = proof.storageProof[index];
      return { key: echoed(asked), value: numberToHex(BigInt(entry?.value ?? '0x0')), proof: entry?.proof ?? [] };
    }),
  };
};

/** geth's way: a whole key as it came, a shorter one as a quantity. */
const echoed = (asked: Hex): Hex => (asked.length === 66 ? asked : numberToHex(BigInt(asked === '0x' ? 0 : asked)));
