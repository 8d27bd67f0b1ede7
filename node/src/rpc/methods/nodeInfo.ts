import type { BlockId } from '@openledger/chain-config';
import { concatHex, keccak256, numberToHex, pad } from 'viem';
import type { L1Source } from '../../l1/l1Source.ts';
import type { ChainReader } from '../chainReader.ts';
import type { Methods } from '../dispatch.ts';
import { formatTransaction, type Json } from '../format.ts';
import { required, toBlockSelector, toHexBytes } from '../params.ts';

export const CLIENT_VERSION = 'OpenLedger/v0.1.0';

/** net_, web3_, txpool_ and op-node's optimism_ methods. */
export const nodeInfoMethods = (chain: ChainReader, l1: Pick<L1Source, 'head'>): Methods => ({
  net_version: () => String(chain.engine.config.l2ChainId),
  net_listening: () => true,
  net_peerCount: () => '0x0',
  web3_clientVersion: () => CLIENT_VERSION,
  web3_sha3: (params) => keccak256(toHexBytes(required(params, 0), 0)),
  txpool_status: async () => {
    const { pending, queued } = await chain.mempool.content();
    return { pending: numberToHex(pending.length), queued: numberToHex(queued.length) };
  },
  txpool_content: async () => {
    const { pending, queued } = await chain.mempool.content();
    return { pending: bySender(pending), queued: bySender(queued) };
  },
  optimism_version: () => CLIENT_VERSION,
  optimism_rollupConfig: () => rollupConfigJson(chain),
  optimism_syncStatus: async () => {
    const { heads } = chain.engine;
    const [latest, safe, finalized] = [await l1.head('latest'), await l1.head('safe'), await l1.head('finalized')];
    const l1Ref = (block: typeof latest): Json => ({
      hash: block.hash,
      number: Number(block.number),
      parentHash: block.parentHash,
      timestamp: Number(block.timestamp),
    });
    return {
      current_l1: l1Ref(latest),
      head_l1: l1Ref(latest),
      safe_l1: l1Ref(safe),
      finalized_l1: l1Ref(finalized),
      unsafe_l2: await l2Ref(chain, heads.unsafe),
      safe_l2: await l2Ref(chain, heads.safe),
      finalized_l2: await l2Ref(chain, heads.finalized),
    };
  },
  optimism_outputAtBlock: async (params) => {
    const block = await chain.requireBlock(toBlockSelector(required(params, 0), 0));
    const { stateRoot, withdrawalsRoot } = block.header;
    const outputRoot = keccak256(concatHex([pad('0x', { size: 32 }), stateRoot, withdrawalsRoot, block.hash]));
    return {
      version: pad('0x', { size: 32 }),
      outputRoot,
      blockRef: await l2Ref(chain, { hash: block.hash, number: block.header.number }),
      withdrawalStorageRoot: withdrawalsRoot,
      stateRoot,
    };
  },
});

const l2Ref = async (chain: ChainReader, id: BlockId): Promise<Json> => {
  const block = await chain.requireBlock({ hash: id.hash });
  return {
    hash: block.hash,
    number: Number(block.header.number),
    parentHash: block.header.parentHash,
    timestamp: Number(block.header.timestamp),
    l1origin: { hash: block.l1Origin.hash, number: Number(block.l1Origin.number) },
    sequenceNumber: Number(block.sequenceNumber),
  };
};

const rollupConfigJson = (chain: ChainReader): Json => {
  const { config } = chain.engine;
  const { genesis } = config;
  const id = ({ hash, number }: BlockId): Json => ({ hash, number: Number(number) });
  return {
    genesis: {
      l1: id(genesis.l1),
      l2: id(genesis.l2),
      l2_time: Number(genesis.l2Time),
      system_config: {
        batcherAddr: genesis.systemConfig.batcherAddress,
        gasLimit: Number(genesis.systemConfig.gasLimit),
      },
    },
    block_time: Number(config.blockTime),
    max_sequencer_drift: Number(config.maxSequencerDrift),
    seq_window_size: Number(config.sequencerWindowSize),
    channel_timeout: Number(config.channelTimeout),
    l1_chain_id: config.l1ChainId,
    l2_chain_id: config.l2ChainId,
    ...Object.fromEntries(Object.entries(config.forks).map(([fork, time]) => [`${fork}_time`, Number(time)])),
    batch_inbox_address: config.batchInboxAddress,
    deposit_contract_address: config.depositContractAddress,
    l1_system_config_address: config.l1SystemConfigAddress,
  };
};

const bySender = (transactions: Parameters<typeof formatTransaction>[0][]): Json => {
  const grouped: Record<string, Record<string, Json>> = {};
  for (const transaction of transactions) {
    if (transaction.kind !== 'signed') continue;
    const nonces = grouped[transaction.from] ?? {};
    nonces[transaction.tx.nonce.toString()] = formatTransaction(transaction);
    grouped[transaction.from] = nonces;
  }
  return grouped;
};
