import type { Common } from '@ethereumjs/common';
import { Account, createAddressFromString } from '@ethereumjs/util';
import { opPredeploys, type RollupConfig } from '@openledger/chain-config';
import type { PutOp } from '@openledger/event-log';
import { bytesToHex, type Hex, hexToBytes, trim } from 'viem';
import { encodeExtraData } from '../execution/baseFee.ts';
import type { Block } from '../primitives/block.ts';
import {
  EMPTY_REQUESTS_HASH,
  EMPTY_TRIE_ROOT,
  EMPTY_UNCLES_HASH,
  type Header,
  hashHeader,
  ZERO_HASH,
  ZERO_NONCE,
} from '../primitives/header.ts';
import type { StateStore } from '../state/stateStore.ts';
import type { GenesisAlloc } from './genesisMachine.ts';

const INITIAL_BASE_FEE = 1_000_000_000n;

/** Everything that fixes a chain: the state of block 0 and the L1 block that it starts from. */
export type Genesis = {
  readonly alloc: GenesisAlloc;
  readonly timestamp: bigint;
  readonly config: Omit<RollupConfig, 'genesis'> & { genesis: Omit<RollupConfig['genesis'], 'l2' | 'l2Time'> };
};

/** Block 0 with its state writes. Same input, same hash. */
export const makeGenesisBlock = async (
  genesis: Genesis,
  states: StateStore,
  common: Common,
): Promise<{ block: Block; stateWrites: PutOp[] }> => {
  const view = await states.at(EMPTY_TRIE_ROOT, common);
  for (const [address, account] of Object.entries(genesis.alloc)) {
    const target = createAddressFromString(address);
    await view.manager.putAccount(target, new Account(account.nonce, account.balance));
    if (account.code !== '0x') await view.manager.putCode(target, hexToBytes(account.code));
    for (const [slot, value] of Object.entries(account.storage)) {
      await view.manager.putStorage(target, hexToBytes(slot as Hex), hexToBytes(trim(value)));
    }
  }
  await view.manager.flush();
  const stateRoot = bytesToHex(await view.manager.getStateRoot());
  const passer = await view.manager.getAccount(createAddressFromString(opPredeploys.l2ToL1MessagePasser));
  const { systemConfig, l1 } = genesis.config.genesis;
  const header: Header = {
    parentHash: ZERO_HASH,
    sha3Uncles: EMPTY_UNCLES_HASH,
    miner: opPredeploys.sequencerFeeVault,
    stateRoot,
    transactionsRoot: EMPTY_TRIE_ROOT,
    receiptsRoot: EMPTY_TRIE_ROOT,
    logsBloom: `0x${'00'.repeat(256)}`,
    difficulty: 0n,
    number: 0n,
    gasLimit: systemConfig.gasLimit,
    gasUsed: 0n,
    timestamp: genesis.timestamp,
    extraData: encodeExtraData({
      denominator: systemConfig.eip1559Denominator,
      elasticity: systemConfig.eip1559Elasticity,
      minBaseFee: systemConfig.minBaseFee,
    }),
    mixHash: ZERO_HASH,
    nonce: ZERO_NONCE,
    baseFeePerGas: INITIAL_BASE_FEE,
    withdrawalsRoot: passer ? bytesToHex(passer.storageRoot) : EMPTY_TRIE_ROOT,
    blobGasUsed: 0n,
    excessBlobGas: 0n,
    parentBeaconBlockRoot: ZERO_HASH,
    requestsHash: EMPTY_REQUESTS_HASH,
  };
  const block: Block = {
    hash: hashHeader(header),
    header,
    transactions: [],
    receipts: [],
    l1Origin: l1,
    sequenceNumber: 0n,
  };
  return { block, stateWrites: view.writesFor(stateRoot) };
};
