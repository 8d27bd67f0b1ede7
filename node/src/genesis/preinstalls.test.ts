import { devnet, opPredeploys, preinstalls } from '@openledger/chain-config';
import { concatHex, encodeAbiParameters, encodeFunctionData, type Hex, keccak256, parseAbi, toHex } from 'viem';
import { describe, expect, it } from 'vitest';
import { createCommon } from '../execution/createCommon.ts';
import { GenesisMachine } from './genesisMachine.ts';
import { installPreinstalls } from './preinstalls.ts';

// That the code is the one of real chains is shown by the conformance suite `genesis`.
const machine = await GenesisMachine.create(createCommon(devnet.l2ChainId), 1n);
await installPreinstalls(machine, devnet.l2ChainId);
const alloc = await machine.alloc();
const names = Object.keys(preinstalls) as (keyof typeof preinstalls)[];

describe('preinstalls', () => {
  it('have code, all of them, and nothing else is left behind', () => {
    expect(new Set(Object.keys(alloc))).toEqual(new Set(Object.values(preinstalls)));
    for (const name of names) expect(alloc[preinstalls[name]]?.code.length, name).toBeGreaterThan(100);
  });

  it('Permit2 signs for this chain', async () => {
    const abi = parseAbi(['function DOMAIN_SEPARATOR() view returns (bytes32)']);
    const data = encodeFunctionData({ abi, functionName: 'DOMAIN_SEPARATOR' });
    const domain = keccak256(
      encodeAbiParameters(
        [{ type: 'bytes32' }, { type: 'bytes32' }, { type: 'uint256' }, { type: 'address' }],
        [
          keccak256(toHex('EIP712Domain(string name,uint256 chainId,address verifyingContract)')),
          keccak256(toHex('Permit2')),
          BigInt(devnet.l2ChainId),
          preinstalls.permit2,
        ],
      ),
    );
    expect(await machine.call(opPredeploys.weth, preinstalls.permit2, data)).toBe(domain);
  });

  it('the proxies create contracts where CREATE2 says', async () => {
    const creationCode: Hex = '0x600160005360016000f3';
    const salt = toHex(7, { size: 32 });
    for (const factory of [preinstalls.deterministicDeploymentProxy, preinstalls.safeSingletonFactory]) {
      const expected = `0x${keccak256(concatHex(['0xff', factory, salt, keccak256(creationCode)])).slice(-40)}`;
      expect(await machine.call(opPredeploys.weth, factory, concatHex([salt, creationCode]))).toBe(expected);
    }
  });

  it('each EntryPoint knows its SenderCreator', () => {
    for (const [entryPoint, creator] of [
      [preinstalls.entryPointV06, preinstalls.senderCreatorV06],
      [preinstalls.entryPointV07, preinstalls.senderCreatorV07],
    ] as const) {
      expect(alloc[entryPoint]?.code).toContain(creator.slice(2));
    }
    expect(alloc[preinstalls.createX]?.code).toContain(preinstalls.createX.slice(2));
  });
});
