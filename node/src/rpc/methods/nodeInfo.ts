import { type BlockId, toRollupJson } from '@openledger/chain-config';
import { concatHex, keccak256, pad, zeroHash } from 'viem';
import type { L1Block, L1Source } from '../../l1/l1Source.ts';
import { blockIdOf } from '../../primitives/block.ts';
import type { ChainReader } from '../chainReader.ts';
import type { Methods } from '../dispatch.ts';
import type { Json } from '../format.ts';
import { required, toBlockSelector, toHexBytes, toQuantity } from '../params.ts';
import { serverError } from '../rpcError.ts';

export const CLIENT_VERSION = 'OpenLedger/v0.1.0';

/** op-node's way to say that it doesn't know yet. */
const NO_REF: Json = { hash: zeroHash, number: 0, parentHash: zeroHash, timestamp: 0 };

/** What the node knows of L1 and of how far it derived from it. */
export type RollupStatus = {
  readonly l1: Pick<L1Source, 'head'>;
  readonly derivation?: {
    readonly origin: L1Block | undefined;
    safeHeadAtL1(l1Number: bigint): Promise<{ readonly l1: BlockId; readonly safe: BlockId } | undefined>;
  };
};

/** net_, web3_ and op-node's optimism_ methods. */
export const nodeInfoMethods = (chain: ChainReader, status: RollupStatus): Methods => ({
  net_version: () => String(chain.engine.rules.chainId),
  net_listening: () => true,
  net_peerCount: () => '0x0',
  web3_clientVersion: () => CLIENT_VERSION,
  web3_sha3: (params) => keccak256(toHexBytes(required(params, 0), 0)),
  optimism_version: () => CLIENT_VERSION,
  optimism_rollupConfig: () => toRollupJson(chain.engine.config) as Json,
  optimism_syncStatus: () => syncStatus(chain, status),
  optimism_safeHeadAtL1Block: async (params) => {
    const { derivation } = status;
    if (!derivation) throw serverError('this node does not derive from L1');
    const known = await derivation.safeHeadAtL1(toQuantity(required(params, 0), 0));
    if (!known) throw serverError('safe head is not known at this L1 block');
    const ref = ({ hash, number }: BlockId): Json => ({ hash, number: Number(number) });
    return { l1Block: ref(known.l1), safeHead: ref(known.safe) };
  },
  optimism_outputAtBlock: async (params) => {
    const block = await chain.requireBlock(toBlockSelector(required(params, 0), 0));
    const { stateRoot } = block.header;
    const withdrawalsRoot = await chain.messagePasserRoot(block);
    const outputRoot = keccak256(concatHex([pad('0x', { size: 32 }), stateRoot, withdrawalsRoot, block.hash]));
    return {
      version: pad('0x', { size: 32 }),
      outputRoot,
      blockRef: await l2Ref(chain, blockIdOf(block)),
      withdrawalStorageRoot: withdrawalsRoot,
      stateRoot,
      // op-proposer asks for the heads here, and takes it for granted that they come.
      syncStatus: await syncStatus(chain, status),
    };
  },
});

/** op-node's SyncStatus. Without interop there is nothing between unsafe and cross-unsafe, nor between safe and local-safe. */
const syncStatus = async (chain: ChainReader, { l1, derivation }: RollupStatus): Promise<Json> => {
  const { heads } = chain.engine;
  const [latest, safe, finalized] = [await l1.head('latest'), await l1.head('safe'), await l1.head('finalized')];
  const unsafeL2 = await l2Ref(chain, heads.unsafe);
  const safeL2 = await l2Ref(chain, heads.safe);
  return {
    // Without derivation nothing of L1 is behind the L2 chain.
    current_l1: derivation && !derivation.origin ? NO_REF : l1Ref(derivation?.origin ?? latest),
    head_l1: l1Ref(latest),
    safe_l1: l1Ref(safe),
    finalized_l1: l1Ref(finalized),
    unsafe_l2: unsafeL2,
    safe_l2: safeL2,
    finalized_l2: await l2Ref(chain, heads.finalized),
    pending_safe_l2: safeL2,
    cross_unsafe_l2: unsafeL2,
    local_safe_l2: safeL2,
  };
};

const l1Ref = (block: L1Block): Json => ({
  hash: block.hash,
  number: Number(block.number),
  parentHash: block.parentHash,
  timestamp: Number(block.timestamp),
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
