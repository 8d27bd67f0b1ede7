/** Who may import whom: DESIGN.md section 2, as rules. Each list is what a workspace may use of ours, itself included. */
const may = {
  kit: [],
  'chain-config': [],
  contracts: ['chain-config'],
  'event-log': ['kit', 'chain-config'],
  node: ['kit', 'chain-config', 'contracts', 'event-log'],
  indexer: ['kit', 'chain-config', 'contracts', 'event-log'],
  graphql: ['kit', 'indexer'],
  client: ['chain-config', 'contracts'],
  'gpu-runner': ['kit', 'chain-config', 'contracts', 'event-log', 'client'],
  rewards: ['kit', 'chain-config', 'contracts', 'event-log'],
  cli: [
    'kit',
    'chain-config',
    'contracts',
    'event-log',
    'node',
    'indexer',
    'graphql',
    'gpu-runner',
    'rewards',
    'client',
  ],
};

const workspaces = Object.entries(may).map(([name, allowed]) => ({
  name: `${name}-imports`,
  comment: `${name} may import ${allowed.join(', ') || 'nothing of ours'} (docs: ARCHITECTURE.md)`,
  severity: 'error',
  from: { path: `^${name}/`, pathNot: '\\.test\\.ts$|/test/' },
  to: {
    path: `^(${[...Object.keys(may), 'test', 'bench'].filter((other) => other !== name && !allowed.includes(other)).join('|')})/`,
  },
}));

/** Inside node/src imports go downwards only. */
const layers = [
  ['node.ts'],
  ['engineApi'],
  ['sequencer', 'derivation', 'batcher', 'proposer'],
  ['follower'],
  ['rpc'],
  ['mempool', 'attributes', 'pending'],
  ['engine'],
  ['chain', 'events', 'genesis'],
  ['execution'],
  ['state', 'l1'],
  ['channels'],
  ['primitives', 'errors.ts'],
];
/** A folder as a whole: `engine` is not `engineApi`. */
const exactly = (name) => (name.endsWith('.ts') ? name : `${name}/`);
const nodeLayers = layers.slice(1).map((layer, index) => ({
  name: `node-layer-${layer.join('-')}`,
  comment: `${layer.join(', ')} may not import what stands above`,
  severity: 'error',
  from: { path: `^node/src/(${layer.map(exactly).join('|')})`, pathNot: '\\.test\\.ts$' },
  to: {
    path: `^node/src/(${layers
      .slice(0, index + 1)
      .flat()
      .map(exactly)
      .join('|')})`,
  },
}));

module.exports = {
  forbidden: [
    ...workspaces,
    ...nodeLayers,
    {
      name: 'rpc-knows-no-sequencer',
      severity: 'error',
      from: { path: '^node/src/rpc/' },
      to: { path: '^node/src/(sequencer|derivation|batcher)/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphan-tests',
      severity: 'error',
      from: { pathNot: '\\.test\\.ts$|/test/' },
      to: { path: '\\.test\\.ts$' },
    },
    {
      name: 'declared-dependencies-only',
      severity: 'error',
      from: { pathNot: '\\.test\\.ts$|/test/|/scripts/|\\.config\\.ts$' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(node_modules|generated)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
