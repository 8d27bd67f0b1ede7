import type { Common } from '@ethereumjs/common';
import type { Account } from '@ethereumjs/util';
import { size } from 'viem';
import type { ResolvedCall } from './resolveCall.ts';
import { gasBoundsOf, type Message } from './runMessage.ts';
import { checksummed, refusedCall, type SimulationErrorName } from './simulationErrors.ts';

const MAX_NONCE = (1n << 64n) - 1n;
/** EIP-4844's version byte of a blob's hash, and EIP-7594's most blobs of a transaction. */
const BLOB_VERSION = '0x01';
const MAX_BLOBS = 6;

export type CallLimits = {
  readonly common: Common;
  readonly sender: Account;
  readonly validation: boolean;
  /** Wei per gas; undefined before London, and for blobs before Cancun. */
  readonly baseFee: bigint | undefined;
  readonly blobBaseFee: bigint | undefined;
  /** Wei that the sender needs besides gas at its highest price and value. */
  readonly dataFees: bigint;
};

/** No price is offered, and none asked for. */
export const isFree = (call: ResolvedCall, validation: boolean): boolean =>
  !validation && call.maxFeePerGas === 0n && call.maxPriorityFeePerGas === 0n;

/** geth's checks before a message is executed, in its order. Code at the sender's address never matters. @throws -38010 to -38025 */
export const checkCall = (call: ResolvedCall, message: Message, limits: CallLimits): void => {
  const { common, sender, validation, baseFee } = limits;
  const who = checksummed(call.from);
  const refuse = (name: SimulationErrorName, text: string): never => {
    throw refusedCall(name, text, call.gas);
  };
  if (validation) {
    const nonces = `${who}, tx: ${call.nonce} state: ${sender.nonce}`;
    if (sender.nonce < call.nonce) refuse('nonceTooHigh', `nonce too high: ${nonces}`);
    if (sender.nonce > call.nonce) refuse('nonceTooLow', `nonce too low: ${nonces}`);
    if (sender.nonce === MAX_NONCE) refuse('internal', `nonce has max value: ${who}, nonce: ${sender.nonce}`);
  }
  if (baseFee !== undefined && !isFree(call, validation)) {
    const { maxFeePerGas: cap, maxPriorityFeePerGas: tip } = call;
    if (cap < tip) {
      const fees = `${who}, maxPriorityFeePerGas: ${tip}, maxFeePerGas: ${cap}`;
      refuse('invalidParams', `max priority fee per gas higher than max fee per gas: ${fees}`);
    }
    if (cap < baseFee) {
      const fees = `${who}, maxFeePerGas: ${cap}, baseFee: ${baseFee}`;
      refuse('baseFeeTooLow', `max fee per gas less than block base fee: ${fees}`);
    }
  }
  checkKind(call, limits, refuse);
  const initCodeLimit = common.isActivatedEIP(3860) ? common.param('maxInitCodeSize') : undefined;
  if (call.to === undefined && initCodeLimit !== undefined && size(call.data) > initCodeLimit) {
    refuse('initCodeSize', `max initcode size exceeded: code size ${size(call.data)} limit ${initCodeLimit}`);
  }
  const wanted = call.gas * call.maxFeePerGas + call.value + maxBlobFee(call, common) + limits.dataFees;
  if (wanted >= 1n << 256n) {
    refuse('insufficientFunds', `${FUNDS}: ${who} required balance exceeds 256 bits`);
  }
  if (sender.balance < wanted) refuse('insufficientFunds', `${FUNDS}: ${who} have ${sender.balance} want ${wanted}`);
  const { intrinsic, floor } = gasBoundsOf(message, common);
  if (call.gas < intrinsic) refuse('intrinsicGas', `intrinsic gas too low: have ${call.gas}, want ${intrinsic}`);
  if (call.gas < floor) {
    refuse('internal', `insufficient gas for floor data gas cost: have ${call.gas}, want ${floor}`);
  }
};

const FUNDS = 'insufficient funds for gas * price + value';

/** What blob and set-code transactions need beside what all do. */
const checkKind = (
  { to, from, blobVersionedHashes: blobs, authorizationList, maxFeePerBlobGas = 0n }: ResolvedCall,
  { common, validation, blobBaseFee }: CallLimits,
  refuse: (name: SimulationErrorName, text: string) => never,
): void => {
  if (blobs) {
    if (to === undefined) refuse('internal', 'blob transaction of type create');
    if (blobs.length === 0) refuse('internal', 'blob transaction missing blob hashes');
    if (common.isActivatedEIP(7594) && blobs.length > MAX_BLOBS) {
      refuse('internal', 'blob transaction has too many blobs');
    }
    const wrong = blobs.findIndex((hash) => !hash.startsWith(BLOB_VERSION));
    if (wrong >= 0) refuse('internal', `blob ${wrong} has invalid hash version`);
    if (blobBaseFee !== undefined && maxFeePerBlobGas < blobBaseFee && (validation || maxFeePerBlobGas > 0n)) {
      const fees = `${checksummed(from)} blobGasFeeCap: ${maxFeePerBlobGas}, blobBaseFee: ${blobBaseFee}`;
      refuse('internal', `max fee per blob gas less than block blob gas fee: ${fees}`);
    }
  }
  if (!authorizationList) return;
  const sender = `(sender ${checksummed(from).replace('address ', '')})`;
  if (to === undefined) refuse('internal', `EIP-7702 transaction cannot be used to create contract ${sender}`);
  if (authorizationList.length === 0) refuse('internal', `EIP-7702 transaction with empty auth list ${sender}`);
};

export const blobGasOf = ({ blobVersionedHashes }: ResolvedCall, common: Common): bigint =>
  blobVersionedHashes ? BigInt(blobVersionedHashes.length) * BigInt(common.param('blobGasPerBlob')) : 0n;

const maxBlobFee = (call: ResolvedCall, common: Common): bigint =>
  blobGasOf(call, common) * (call.maxFeePerBlobGas ?? 0n);
