import { zeroAddress, zeroHash } from 'viem';
import { describe, expect, it } from 'vitest';
import { isolateTests, startChain } from './support/chain.ts';
import { alice, bob, carol, deploySystem, evaluation, hashOf, registerBase, runner, suite } from './support/system.ts';

const chain = await startChain();
const system = await deploySystem(chain);
const { models, jobs } = system;
isolateTests(chain);

const base = (over: Partial<Record<'name' | 'architecture' | 'uri', string>> = {}) =>
  [over.name ?? 'tiny', over.architecture ?? 'gpt2', hashOf('w'), over.uri ?? 'u', 1n, 2n] as const;

function spec(parentId: bigint, over: { name?: string; weights?: string; config?: `0x${string}` } = {}) {
  return {
    parentId,
    jobId: 7n,
    datanetId: 3n,
    datanetVersion: 2,
    owner: bob,
    weightsHash: hashOf(over.weights ?? 'adapter'),
    configHash: over.config ?? hashOf('config'),
    name: over.name ?? 'tuned',
  };
}

describe('registerBaseModel', () => {
  it('deploys at once when a price is given', async () => {
    const receipt = await models.send(alice, 'registerBaseModel', base());
    expect(models.event(receipt, 'BaseModelRegistered')).toEqual({
      modelId: 1n,
      owner: alice,
      weightsHash: hashOf('w'),
      name: 'tiny',
      architecture: 'gpt2',
      uri: 'u',
    });
    const deployed = { modelId: 1n, owner: alice, inputPrice: 1n, outputPrice: 2n };
    expect(models.event(receipt, 'ModelDeployed')).toEqual(deployed);
    expect(await models.read('model', [1n])).toEqual({
      owner: alice,
      parentId: 0n,
      jobId: 0n,
      datanetId: 0n,
      datanetVersion: 0,
      deployed: true,
      weightsHash: hashOf('w'),
      configHash: zeroHash,
      inputPrice: 1n,
      outputPrice: 2n,
    });
    expect(await models.read('modelByWeights', [hashOf('w')])).toBe(1n);
    expect([await models.read('exists', [1n]), await models.read('exists', [2n])]).toEqual([true, false]);
  });

  it('leaves a model without prices undeployed; its owner deploys it without an evaluation', async () => {
    const receipt = await models.send(alice, 'registerBaseModel', ['tiny', 'gpt2', hashOf('w'), '', 0n, 0n]);
    expect(models.events(receipt, 'ModelDeployed')).toEqual([]);
    expect(await models.read('model', [1n])).toMatchObject({ deployed: false });
    await models.send(alice, 'deploy', [1n, 0n, 5n]);
    expect(await models.read('model', [1n])).toMatchObject({ deployed: true, inputPrice: 0n, outputPrice: 5n });
  });

  it('limits the texts and wants weights of its own', async () => {
    await models.refuses(alice, 'registerBaseModel', base({ name: '' }), 'EmptyName');
    await models.refuses(alice, 'registerBaseModel', base({ architecture: '' }), 'EmptyName');
    const long = 'x'.repeat(129);
    await models.refuses(alice, 'registerBaseModel', base({ name: long }), 'TextTooLong', [129n, 128n]);
    await models.refuses(alice, 'registerBaseModel', base({ architecture: long }), 'TextTooLong', [129n, 128n]);
    const uri = 'x'.repeat(1025);
    await models.refuses(alice, 'registerBaseModel', base({ uri }), 'TextTooLong', [1025n, 1024n]);
    await models.refuses(alice, 'registerBaseModel', ['a', 'b', zeroHash, '', 1n, 1n], 'ZeroHash');
    await models.send(alice, 'registerBaseModel', base());
    await models.refuses(bob, 'registerBaseModel', base(), 'WeightsTaken', [hashOf('w'), 1n]);
  });
});

describe('registerAdapter', () => {
  it('is for Jobs only, and keeps the lineage', async () => {
    const parentId = await registerBase(system, alice);
    await models.refuses(alice, 'registerAdapter', [spec(parentId)], 'NotJobs', [alice]);
    const receipt = await models.send(jobs.address, 'registerAdapter', [spec(parentId)]);
    const { name, ...stored } = spec(parentId);
    expect(models.event(receipt, 'AdapterRegistered')).toEqual({ modelId: 2n, name, ...stored });
    expect(await models.read('model', [2n])).toEqual({ ...stored, deployed: false, inputPrice: 0n, outputPrice: 0n });
  });

  it('refuses an unknown parent, bad texts, missing hashes and known weights', async () => {
    const parentId = await registerBase(system, alice);
    const refuses = (given: ReturnType<typeof spec>, error: string, args: unknown[] = []) =>
      models.refuses(jobs.address, 'registerAdapter', [given], error, args);
    await refuses(spec(9n), 'UnknownModel', [9n]);
    await refuses(spec(parentId, { name: '' }), 'EmptyName');
    await refuses(spec(parentId, { name: 'x'.repeat(129) }), 'TextTooLong', [129n, 128n]);
    await refuses(spec(parentId, { config: zeroHash }), 'ZeroHash');
    await refuses({ ...spec(parentId), weightsHash: zeroHash }, 'ZeroHash');
    await refuses(spec(parentId, { weights: 'weights of tiny' }), 'WeightsTaken', [
      hashOf('weights of tiny'),
      parentId,
    ]);
  });
});

describe('recordEvaluation', () => {
  it('is for Jobs in the name of a runner, and for a bonded runner in its own', async () => {
    const id = await registerBase(system, alice);
    const receipt = await models.send(runner, 'recordEvaluation', [id, runner, evaluation('general')]);
    expect(models.event(receipt, 'EvaluationRecorded')).toEqual({
      modelId: id,
      evaluator: runner,
      ...evaluation('general'),
    });
    await models.send(jobs.address, 'recordEvaluation', [id, carol, evaluation('domain')]);
    const refuses = (from: `0x${string}`, evaluator: `0x${string}`) =>
      models.refuses(from, 'recordEvaluation', [id, evaluator, evaluation('x')], 'NotBondedRunner', [evaluator]);
    await refuses(carol, carol);
    await refuses(carol, runner);
    await refuses(runner, carol);
  });

  it('names a model, a suite and a report', async () => {
    const id = await registerBase(system, alice);
    const refuses = (modelId: bigint, over: object, error: string, args: unknown[] = []) =>
      models.refuses(runner, 'recordEvaluation', [modelId, runner, { ...evaluation('x'), ...over }], error, args);
    await refuses(9n, {}, 'UnknownModel', [9n]);
    await refuses(id, { suite: zeroHash }, 'ZeroHash');
    await refuses(id, { reportHash: zeroHash }, 'ZeroHash');
  });
});

describe('deploy, retire, transfer', () => {
  it('deploys an adapter only after an evaluation on "general"', async () => {
    const parentId = await registerBase(system, alice);
    await models.send(jobs.address, 'registerAdapter', [spec(parentId)]);
    await models.refuses(bob, 'deploy', [2n, 1n, 1n], 'NotEvaluated', [2n]);
    await models.send(runner, 'recordEvaluation', [2n, runner, evaluation('domain')]);
    await models.refuses(bob, 'deploy', [2n, 1n, 1n], 'NotEvaluated', [2n]);
    // A verdict of "worse" is shown to whoever deploys, it doesn't forbid.
    await models.send(runner, 'recordEvaluation', [2n, runner, { ...evaluation('general'), regressed: true }]);
    const receipt = await models.send(bob, 'deploy', [2n, 3n, 4n]);
    const deployed = { modelId: 2n, owner: bob, inputPrice: 3n, outputPrice: 4n };
    expect(models.event(receipt, 'ModelDeployed')).toEqual(deployed);
    await models.send(bob, 'deploy', [2n, 5n, 6n]);
    expect(await models.read('model', [2n])).toMatchObject({ deployed: true, inputPrice: 5n, outputPrice: 6n });
    expect(suite('general')).toBe(evaluation('general').suite);
  });

  it('belongs to the owner', async () => {
    const id = await registerBase(system, alice);
    await models.refuses(bob, 'deploy', [id, 1n, 1n], 'NotModelOwner', [id, bob]);
    await models.refuses(bob, 'retire', [id], 'NotModelOwner', [id, bob]);
    await models.refuses(bob, 'transferModel', [id, bob], 'NotModelOwner', [id, bob]);
    for (const name of ['retire'] as const) await models.refuses(bob, name, [9n], 'UnknownModel', [9n]);
    await models.refuses(bob, 'deploy', [9n, 1n, 1n], 'UnknownModel', [9n]);
    await models.refuses(bob, 'transferModel', [9n, bob], 'UnknownModel', [9n]);
    await expect(models.read('model', [9n])).rejects.toThrow();

    await models.refuses(alice, 'transferModel', [id, zeroAddress], 'NotModelOwner', [id, zeroAddress]);
    const moved = await models.send(alice, 'transferModel', [id, bob]);
    expect(models.event(moved, 'ModelOwnershipTransferred')).toEqual({ modelId: id, from: alice, to: bob });
    const retired = await models.send(bob, 'retire', [id]);
    expect(models.event(retired, 'ModelRetired')).toEqual({ modelId: id, owner: bob });
    expect(await models.read('model', [id])).toMatchObject({ deployed: false, owner: bob });
    await models.refuses(bob, 'retire', [id], 'NotDeployed', [id]);
  });
});

describe('lineAt', () => {
  it('tells who owned a model at the end of any block', async () => {
    const at = () => chain.client.getBlockNumber();
    const before = await at();
    const modelId = await registerBase(system, alice, 'traded');
    const registered = await at();
    await models.send(alice, 'transferModel', [modelId, bob]);
    const owners = [before, registered, await at()].map((block) => models.read('lineAt', [modelId, block]));
    expect(await Promise.all(owners)).toEqual([[zeroAddress], [alice], [bob]]);
    expect(await models.read('lineAt', [99n, registered])).toEqual([zeroAddress]);
  });
});
