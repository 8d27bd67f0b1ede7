import secp256k1 from 'secp256k1';
import {
  type Address,
  bytesToHex,
  type Hex,
  hexToBytes,
  keccak256,
  serializeTransaction,
  type TransactionSerializableEIP1559,
} from 'viem';
import { publicKeyToAddress } from 'viem/accounts';
import { numberToBytes, stringToBytes } from 'viem/utils';

export type Signer = { readonly address: Address; sign(transaction: TransactionSerializableEIP1559): Hex };

/** The nth sender, the same in every run. Native signing: a benchmark's thousands of signatures should not take minutes. */
export const signer = (index: number): Signer => {
  const key = hexToBytes(keccak256(numberToBytes(index + 1, { size: 32 })));
  const address = publicKeyToAddress(bytesToHex(secp256k1.publicKeyCreate(key, false))).toLowerCase() as Address;
  return {
    address,
    sign: (transaction) => {
      const digest = hexToBytes(keccak256(serializeTransaction(transaction)));
      const { signature, recid } = secp256k1.ecdsaSign(digest, key);
      const [r, s] = [bytesToHex(signature.subarray(0, 32)), bytesToHex(signature.subarray(32))];
      return serializeTransaction(transaction, { r, s, yParity: recid });
    },
  };
};

export const signers = (count: number): Signer[] => Array.from({ length: count }, (_, index) => signer(index));

/** An address that nobody has the key of; equal for equal names. */
export const addressOf = (name: string): Address => `0x${keccak256(stringToBytes(name)).slice(26)}`;
