export * from './devnet.ts';
export * from './feeScalars.ts';
export * from './forks.ts';
export * from './opPredeploys.ts';
export * from './predeploys.ts';
export * from './rollupConfig.ts';
export * from './viemChain.ts';
