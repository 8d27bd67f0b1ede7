import type { Projection } from './projection.ts';

/** Contracts that were deployed together with the record of where their source came from. */
export const provenance: Projection = {
  name: 'provenance',
  on: {
    ContractDeployed: (args, at, changes) =>
      changes.insert('deployments', {
        deployed: args.deployed,
        deployer: args.deployer,
        model_id: args.modelId,
        output_id: args.outputId,
        prompt_hash: args.promptHash,
        source_hash: args.sourceHash,
        compiler_hash: args.compilerHash,
        code_hash: args.codeHash,
        ...at,
      }),
  },
};
