import { activeFork, includesFork, opPredeploys, type RollupConfig, upgradeGas } from '@openledger/chain-config';
import { nodeError } from '../errors.ts';
import { encodeExtraData } from '../execution/baseFee.ts';
import type { BlockAttributes } from '../execution/chainRules.ts';
import { depositsOf } from '../l1/deposits.ts';
import type { L1Block, L1Source } from '../l1/l1Source.ts';
import { updateSystemConfig } from '../l1/systemConfigUpdates.ts';
import type { Block } from '../primitives/block.ts';
import { type DepositTransaction, encodeDeposit, hashDeposit } from '../primitives/depositTransaction.ts';
import { l1AttributesDeposit, systemConfigOfBlock } from '../primitives/l1Attributes.ts';
import type { L2Transaction } from '../primitives/transaction.ts';
import { upgradeTransactions } from './upgradeTransactions.ts';

export type PayloadAttributes = {
  readonly block: BlockAttributes;
  readonly deposits: readonly L2Transaction[];
  /** The first block of a fork carries nothing but deposits (its own among them). */
  readonly noTxPool: boolean;
};

const toTransaction = (deposit: DepositTransaction): L2Transaction => ({
  kind: 'deposit',
  raw: encodeDeposit(deposit),
  hash: hashDeposit(deposit),
  from: deposit.from,
  deposit,
});

/**
 * What follows from (parent, L1 origin) alone: timestamp, L1 attributes, and, when this is the origin's first
 * L2 block, its user deposits and what it changes in the system config; the deposits of a fork that begins. The sequencer and derivation both use it, which is why they agree (specs/protocol/derivation.md).
 * @throws L1_REORG when the origin is neither the parent's nor its child.
 */
export const preparePayloadAttributes = async (options: {
  config: RollupConfig;
  parent: Block;
  origin: L1Block;
  l1: Pick<L1Source, 'receipts'>;
}): Promise<PayloadAttributes> => {
  const { config, parent, origin, l1 } = options;
  const sameOrigin = origin.hash === parent.l1Origin.hash;
  if (!sameOrigin && origin.parentHash !== parent.l1Origin.hash) {
    throw nodeError('L1_REORG', 'the L1 origin does not follow the parent block’s', {
      origin: origin.hash,
      parentOrigin: parent.l1Origin.hash,
    });
  }
  const timestamp = parent.header.timestamp + config.blockTime;
  if (timestamp < origin.timestamp) {
    throw nodeError('BLOCK_INVALID', 'an L2 block is never older than its L1 origin', { timestamp });
  }
  const receipts = sameOrigin ? [] : await l1.receipts(origin);
  const systemConfig = updateSystemConfig(systemConfigOfBlock(parent, config), receipts, config, origin.timestamp);
  const info = l1AttributesDeposit(config, timestamp, {
    origin: { hash: origin.hash, number: origin.number },
    timestamp: origin.timestamp,
    baseFee: origin.baseFee,
    blobBaseFee: origin.blobBaseFee,
    sequenceNumber: sameOrigin ? parent.sequenceNumber + 1n : 0n,
    systemConfig,
  });
  const users = depositsOf(receipts, config.depositContractAddress, origin.hash);
  const upgrades = upgradeTransactions(config, parent.header.timestamp, timestamp);
  const fork = activeFork(config.forks, timestamp);
  return {
    block: {
      timestamp,
      gasLimit: systemConfig.gasLimit + upgradeGas(config, parent.header.timestamp, timestamp),
      prevRandao: origin.prevRandao,
      feeRecipient: opPredeploys.sequencerFeeVault,
      ...(includesFork(fork, 'ecotone') ? { parentBeaconBlockRoot: origin.parentBeaconBlockRoot } : {}),
      extraData: encodeExtraData(fork, config.eip1559, systemConfig),
    },
    deposits: [info, ...users, ...upgrades].map(toTransaction),
    noTxPool: upgrades.length > 0,
  };
};
