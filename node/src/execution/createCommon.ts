import { Common, Hardfork, Mainnet } from '@ethereumjs/common';
import { keccak256Bytes, recoverPublicKey } from '../primitives/crypto.ts';

/** The Osaka EIPs that Karst takes over (karst/exec-engine.md): MODEXP bounds and price, gas cap, P256, CLZ. */
const KARST_EIPS = [7823, 7825, 7883, 7939, 7951];

/** The EthereumJS rule set of the newest L2 fork, with native crypto in the hot places. */
export const createCommon = (chainId: number): Common =>
  new Common({
    chain: { ...Mainnet, chainId, name: `openledger-${chainId}` },
    hardfork: Hardfork.Prague,
    eips: KARST_EIPS,
    customCrypto: {
      keccak256: keccak256Bytes,
      ecrecover: (digest, v, r, s, chainId) => recoverPublicKey(digest, r, s, recoveryBit(v, chainId)),
    },
  });

/** v is 0/1 (typed), 27/28 (legacy) or 2*chainId+35/36 (EIP-155). */
const recoveryBit = (v: bigint, chainId?: bigint): 0 | 1 => {
  const bit = v === 0n || v === 1n ? v : chainId === undefined ? v - 27n : v - (chainId * 2n + 35n);
  if (bit !== 0n && bit !== 1n) throw new RangeError(`invalid signature v ${v}`);
  return bit === 0n ? 0 : 1;
};
