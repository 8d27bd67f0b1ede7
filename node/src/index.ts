export { type BatcherProcessOptions, startBatcher } from './batcher/startBatcher.ts';
export { Engine } from './engine/engine.ts';
export { createCommon } from './execution/createCommon.ts';
export {
  buildGenesisAlloc,
  type Economics,
  type GenesisInputs,
  multicall3CreationCode,
} from './genesis/buildGenesis.ts';
export type { Genesis } from './genesis/genesisBlock.ts';
export { genesisHeader, rollupConfigOf } from './genesis/genesisHeader.ts';
export type { GenesisAlloc } from './genesis/genesisMachine.ts';
export { type GethGenesis, readGethGenesis } from './genesis/gethGenesis.ts';
export { type Artifact, optimismArtifact } from './genesis/optimismArtifacts.ts';
export { writeGethGenesis } from './genesis/writeGethGenesis.ts';
export { type NodeModules, type NodeOptions, type NodeRole, type RunningNode, startNode } from './node.ts';
export { type ProposerProcessOptions, startProposer } from './proposer/startProposer.ts';
