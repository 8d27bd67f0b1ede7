import { concat, encodeAbiParameters, getContractAddress, type Hex, keccak256, zeroAddress, zeroHash } from 'viem';
import { describe, expect, it } from 'vitest';
import { bornAbi, bornBytecode } from './generated/Born.ts';
import { isolateTests, startChain } from './support/chain.ts';
import { contractAt } from './support/contract.ts';
import { alice, bob, deploySystem, hashOf, registerBase } from './support/system.ts';

const chain = await startChain();
const system = await deploySystem(chain);
const { provenance } = system;
const modelId = await registerBase(system, alice);
isolateTests(chain);

const modes = { live: 0, noCode: 1, reason: 2, silent: 3 };
const SALT = hashOf('salt');
const origin = {
  modelId,
  outputId: hashOf('output'),
  promptHash: hashOf('prompt'),
  sourceHash: hashOf('source'),
  compilerHash: hashOf('input'),
};

function initCode(mode: number): Hex {
  return concat([bornBytecode, encodeAbiParameters([{ type: 'uint8' }], [mode])]);
}

/** CREATE2 as anybody computes it, with the salt bound to the caller. */
function create2(deployer: Hex, code: Hex): Hex {
  const salt = keccak256(encodeAbiParameters([{ type: 'address' }, { type: 'bytes32' }], [deployer, SALT]));
  return getContractAddress({ opcode: 'CREATE2', from: provenance.address, salt, bytecode: code });
}

describe('deploy', () => {
  it('puts the contract where it was predicted, with its money and its record', async () => {
    const code = initCode(modes.live);
    const expected = create2(alice, code);
    expect(await provenance.read('predict', [alice, SALT, keccak256(code)])).toBe(expected);
    const receipt = await provenance.send(alice, 'deploy', [code, SALT, origin], 5n);
    const runtime = await chain.client.getCode({ address: expected });
    const codeHash = keccak256(runtime ?? '0x');
    const event = { deployed: expected, deployer: alice, ...origin, codeHash };
    expect(provenance.event(receipt, 'ContractDeployed')).toEqual(event);
    const record = { deployer: alice, deployedAt: await chain.now(), codeHash, origin };
    expect(await provenance.read('deployment', [expected])).toEqual(record);
    expect(await chain.balance(expected)).toBe(5n);
    expect(await contractAt(chain, bornAbi, expected).read('endowment', [])).toBe(5n);
    expect(await chain.balance(provenance.address)).toBe(0n);
  });

  it('binds the salt to the caller', async () => {
    const code = initCode(modes.live);
    expect(create2(bob, code)).not.toBe(create2(alice, code));
    await provenance.send(bob, 'deploy', [code, SALT, origin]);
    const receipt = await provenance.send(alice, 'deploy', [code, SALT, origin]);
    expect(provenance.event(receipt, 'ContractDeployed').deployed).toBe(create2(alice, code));
    await provenance.refuses(alice, 'deploy', [code, SALT, origin], 'DeployFailed');
  });

  it('refuses gaps in the record', async () => {
    const code = initCode(modes.live);
    await provenance.refuses(alice, 'deploy', ['0x', SALT, origin], 'EmptyCode');
    const unknown = [code, SALT, { ...origin, modelId: 9n }] as const;
    await provenance.refuses(alice, 'deploy', unknown, 'UnknownModel', [9n]);
    for (const field of ['outputId', 'promptHash', 'sourceHash', 'compilerHash'] as const) {
      await provenance.refuses(alice, 'deploy', [code, SALT, { ...origin, [field]: zeroHash }], 'ZeroHash');
    }
  });

  it('fails with the code, saying why where the constructor says so', async () => {
    const refuses = (mode: number, error: string, args: unknown[] = []) =>
      provenance.refuses(alice, 'deploy', [initCode(mode), SALT, origin], error, args);
    await refuses(modes.noCode, 'DeployFailed');
    await refuses(modes.reason, 'StillBorn', [7n]);
    await refuses(modes.silent, 'FailedDeployment');
  });

  it('records nothing about other contracts', async () => {
    expect(await provenance.read('deployment', [alice])).toMatchObject({ deployer: zeroAddress, codeHash: zeroHash });
  });
});
