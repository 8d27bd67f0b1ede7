import { type BlockId, feeScalars, opPredeploys, type SystemConfig, systemAddresses } from '@openledger/chain-config';
import { concatHex, type Hex, hexToBigInt, hexToNumber, numberToHex, pad, size, slice } from 'viem';
import { nodeError } from '../errors.ts';
import { type DepositTransaction, l1AttributesSourceHash } from './depositTransaction.ts';

/** What L2 knows of L1 (jovian/l1-attributes.md). Fees in wei of ETH. */
export type L1Attributes = {
  readonly origin: BlockId;
  readonly timestamp: bigint;
  readonly baseFee: bigint;
  readonly blobBaseFee: bigint;
  /** Number of L2 blocks since the first of this origin. */
  readonly sequenceNumber: bigint;
  readonly systemConfig: SystemConfig;
};

const JOVIAN_SELECTOR: Hex = '0x3db6be2b';
const JOVIAN_LENGTH = 178;
/** Since Regolith; enough for any L1Block, and it doesn't pay. */
const GAS = 1_000_000n;

/** The first transaction of every L2 block. */
export const l1AttributesDeposit = (l1: L1Attributes): DepositTransaction => ({
  sourceHash: l1AttributesSourceHash(l1.origin.hash, l1.sequenceNumber),
  from: systemAddresses.depositor,
  to: opPredeploys.l1Block,
  mint: 0n,
  value: 0n,
  gas: GAS,
  isSystemTransaction: false,
  data: concatHex([
    JOVIAN_SELECTOR,
    numberToHex(feeScalars(l1.systemConfig.scalar).baseFeeScalar, { size: 4 }),
    numberToHex(feeScalars(l1.systemConfig.scalar).blobBaseFeeScalar, { size: 4 }),
    numberToHex(l1.sequenceNumber, { size: 8 }),
    numberToHex(l1.timestamp, { size: 8 }),
    numberToHex(l1.origin.number, { size: 8 }),
    numberToHex(l1.baseFee, { size: 32 }),
    numberToHex(l1.blobBaseFee, { size: 32 }),
    l1.origin.hash,
    pad(l1.systemConfig.batcherAddress, { size: 32 }),
    numberToHex(l1.systemConfig.operatorFeeScalar, { size: 4 }),
    numberToHex(l1.systemConfig.operatorFeeConstant, { size: 8 }),
    numberToHex(l1.systemConfig.daFootprintGasScalar, { size: 2 }),
  ]),
});

/** Reads origin and sequence number back from a block's first transaction. @throws BLOCK_INVALID */
export const parseL1Attributes = (deposit: DepositTransaction): { origin: BlockId; sequenceNumber: bigint } => {
  const { data, from, to } = deposit;
  if (from !== systemAddresses.depositor || to !== opPredeploys.l1Block) {
    throw nodeError('BLOCK_INVALID', 'the first transaction is not the L1 attributes deposit');
  }
  if (slice(data, 0, 4) !== JOVIAN_SELECTOR || size(data) !== JOVIAN_LENGTH) {
    throw nodeError('BLOCK_INVALID', 'L1 attributes of an unknown format', { selector: slice(data, 0, 4) });
  }
  return {
    sequenceNumber: hexToBigInt(slice(data, 12, 20)),
    origin: { number: BigInt(hexToNumber(slice(data, 28, 36))), hash: slice(data, 100, 132) },
  };
};
