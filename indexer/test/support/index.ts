export * from './databases.ts';
export * from './project.ts';
export * from './random.ts';
export * from './testChain.ts';
export * from './world.ts';
