import type { Common } from '@ethereumjs/common';
import {
  createBlob4844Tx,
  createEOACode7702Tx,
  createFeeMarket1559Tx,
  createLegacyTx,
  type TypedTransaction,
} from '@ethereumjs/tx';
import { createAddressFromString } from '@ethereumjs/util';
import { bytesToHex, hexToBytes, keccak256 } from 'viem';
import type { SignedL2Transaction } from '../../primitives/transaction.ts';
import type { CallRequest } from '../params.ts';
import { serverError } from '../rpcError.ts';
import { toTuple } from './applyAuthorizations.ts';
import type { ResolvedCall } from './resolveCall.ts';

/**
 * The transaction that a block shows for a call: of the kind that the call's fields ask for, EIP-1559 when they ask for
 * nothing, with an empty signature. @throws -32000 when the block's fork doesn't know that kind
 */
export const toUnsignedTransaction = (call: ResolvedCall, common: Common): SignedL2Transaction => {
  const tx = createTransaction(call, common);
  // EthereumJS holds these two to limits (EIP-2681, EIP-7825) that a simulation may pass.
  Object.assign(tx, { nonce: call.nonce, gasLimit: call.gas });
  if ('maxFeePerGas' in tx) {
    const { maxFeePerGas, maxPriorityFeePerGas } = call;
    // Without validation a call may offer less than the base fee: it then pays what it offers.
    Object.assign(tx, {
      getEffectivePriorityFee: (baseFee: bigint) =>
        maxFeePerGas - baseFee < maxPriorityFeePerGas ? maxFeePerGas - baseFee : maxPriorityFeePerGas,
    });
  }
  const raw = bytesToHex(tx.serialize());
  // Without a signature nothing in a legacy transaction says which chain it is for.
  if (call.gasPrice !== undefined) Object.assign(tx, { supports: () => false });
  return { kind: 'signed', raw, hash: keccak256(raw), from: call.from, tx };
};

const createTransaction = (call: ResolvedCall, common: Common): TypedTransaction => {
  const options = { common, freeze: false };
  const fields = {
    ...(call.to === undefined ? {} : { to: createAddressFromString(call.to) }),
    value: call.value,
    data: hexToBytes(call.data),
  };
  if (call.gasPrice !== undefined) return createLegacyTx({ ...fields, gasPrice: call.gasPrice }, options);
  const market = {
    ...fields,
    chainId: common.chainId(),
    maxFeePerGas: call.maxFeePerGas,
    maxPriorityFeePerGas: call.maxPriorityFeePerGas,
    accessList: toAccessList(call.accessList),
  };
  const { authorizationList, blobVersionedHashes } = call;
  try {
    if (authorizationList) {
      return createEOACode7702Tx({ ...market, authorizationList: authorizationList.map(toTuple) } as never, options);
    }
    if (blobVersionedHashes) {
      const blobs = { blobVersionedHashes: [...blobVersionedHashes], maxFeePerBlobGas: call.maxFeePerBlobGas ?? 0n };
      return createBlob4844Tx({ ...market, ...blobs } as never, options);
    }
    return createFeeMarket1559Tx(market as never, options);
  } catch {
    // What a kind requires was checked before; what remains is a fork before the kind.
    throw serverError('transaction type not supported');
  }
};

const toAccessList = (list: CallRequest['accessList']) =>
  list.map(({ address, storageKeys }) => [hexToBytes(address), storageKeys.map((key) => hexToBytes(key))]);
