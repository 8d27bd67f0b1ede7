import { createBlock } from '@ethereumjs/block';
import type { Common } from '@ethereumjs/common';
import { type CustomPrecompile, createEVM, MCLBLS } from '@ethereumjs/evm';
import type { MerkleStateManager } from '@ethereumjs/statemanager';
import { createAddressFromString } from '@ethereumjs/util';
import { createVM } from '@ethereumjs/vm';
import mcl from 'mcl-wasm';
import { hexToBytes } from 'viem';
import type { BlockHashes, BlockVm, EnvironmentHeader } from './chainRules.ts';

let bls: Promise<MCLBLS> | undefined;

/** BLS12-381 in WebAssembly; the default in pure JavaScript takes seconds for what a block's gas can buy. */
const loadBls = (): Promise<MCLBLS> => {
  bls ??= mcl.init(mcl.BLS12_381).then(() => new MCLBLS(mcl));
  return bls;
};

/** An EthereumJS VM over `state` whose environment is the block described by `header`. */
export const createBlockVm = async (options: {
  common: Common;
  precompiles: CustomPrecompile[];
  state: MerkleStateManager;
  header: EnvironmentHeader;
  blockHashes: BlockHashes;
}): Promise<BlockVm> => {
  const { common, precompiles, state, header, blockHashes } = options;
  const block = createBlock(
    {
      header: {
        coinbase: createAddressFromString(header.miner),
        number: header.number,
        gasLimit: header.gasLimit,
        timestamp: header.timestamp,
        mixHash: hexToBytes(header.mixHash),
        difficulty: header.difficulty,
        ...(header.baseFeePerGas === undefined ? {} : { baseFeePerGas: header.baseFeePerGas }),
        ...(common.isActivatedEIP(4844) ? { excessBlobGas: header.excessBlobGas ?? 0n, blobGasUsed: 0n } : {}),
      },
    },
    { common, skipConsensusFormatValidation: true, freeze: false },
  );
  const blockchain = {
    getBlock: async (id: number) => {
      const hash = await blockHashes.hashOf(BigInt(id));
      return { hash: () => hexToBytes(hash ?? `0x${'00'.repeat(32)}`) };
    },
    shallowCopy: () => blockchain,
  };
  const evm = await createEVM({
    common,
    stateManager: state,
    blockchain: blockchain as never,
    customPrecompiles: precompiles,
    ...(common.isActivatedEIP(2537) ? { bls: await loadBls() } : {}),
  });
  const vm = await createVM({ common, stateManager: state, blockchain: blockchain as never, evm });
  return { vm, block };
};
