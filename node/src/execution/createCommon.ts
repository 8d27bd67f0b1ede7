import type { CustomCrypto } from '@ethereumjs/common';
import { Common, Hardfork, Mainnet } from '@ethereumjs/common';
import { type Fork, includesFork } from '@openledger/chain-config';
import { keccak256Bytes, recoverPublicKey } from '../primitives/crypto.ts';

const P256_VERIFY = 7951;
/** The Osaka EIPs that Karst takes over (karst/exec-engine.md): MODEXP bounds and price, gas cap, P256, CLZ. */
const KARST_EIPS = [7823, 7825, 7883, 7939];

/** The L1 rules that each L2 fork starts from. */
const hardforks: readonly (readonly [Fork, Hardfork])[] = [
  ['bedrock', Hardfork.Paris],
  ['canyon', Hardfork.Shanghai],
  ['ecotone', Hardfork.Cancun],
  ['isthmus', Hardfork.Prague],
];

/** The EthereumJS rule set of an L2 fork (the newest unless told), with native crypto in the hot places. */
export const createCommon = (chainId: number, fork: Fork = 'karst'): Common =>
  new Common({
    chain: { ...Mainnet, chainId, name: `openledger-${chainId}` },
    hardfork: hardforks.findLast(([from]) => includesFork(fork, from))?.[1] ?? Hardfork.Paris,
    eips: [...(includesFork(fork, 'fjord') ? [P256_VERIFY] : []), ...(includesFork(fork, 'karst') ? KARST_EIPS : [])],
    customCrypto: nativeCrypto,
  });

/** v is 0/1 (typed), 27/28 (legacy) or 2*chainId+35/36 (EIP-155). */
const recoveryBit = (v: bigint, chainId?: bigint): 0 | 1 => {
  const bit = v === 0n || v === 1n ? v : chainId === undefined ? v - 27n : v - (chainId * 2n + 35n);
  if (bit !== 0n && bit !== 1n) throw new RangeError(`invalid signature v ${v}`);
  return bit === 0n ? 0 : 1;
};

export const nativeCrypto: CustomCrypto = {
  keccak256: keccak256Bytes,
  ecrecover: (digest, v, r, s, chainId) => recoverPublicKey(digest, r, s, recoveryBit(v, chainId)),
};
