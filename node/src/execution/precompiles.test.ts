import { generateKeyPairSync, sign } from 'node:crypto';
import type { EVM } from '@ethereumjs/evm';
import { createAddressFromString } from '@ethereumjs/util';
import { type Fork, forks } from '@openledger/chain-config';
import { type Hex, numberToHex, pad, sha256 } from 'viem';
import { describe, expect, it } from 'vitest';
import { openMemoryDb } from '../../test/support/memoryDb.ts';
import { EMPTY_TRIE_ROOT, ZERO_HASH } from '../primitives/header.ts';
import { StateStore } from '../state/stateStore.ts';
import { OpRules } from './opRules.ts';

/** An EVM by the rules of a fork, over nothing. */
const evmOf = async (fork: Fork): Promise<EVM> => {
  const active = forks.slice(0, forks.indexOf(fork) + 1);
  const rules = new OpRules({
    l2ChainId: 1,
    forks: Object.fromEntries(active.map((name) => [name, 0n])),
    eip1559: { elasticity: 6, denominator: 50, denominatorCanyon: 250 },
  });
  const header = {
    number: 1n,
    timestamp: 1n,
    gasLimit: 30_000_000n,
    mixHash: ZERO_HASH,
    difficulty: 0n,
    baseFeePerGas: 1n,
  };
  const { manager } = await new StateStore(openMemoryDb()).at(EMPTY_TRIE_ROOT, rules.commonAt(header));
  const { vm } = await rules.createVm(
    manager,
    { ...header, miner: pad('0x', { size: 20 }) },
    { hashOf: async () => undefined },
  );
  return vm.evm as EVM;
};

const call = async (fork: Fork, number: number, data: Uint8Array, gas = 50_000_000n) => {
  const evm = await evmOf(fork);
  const to = createAddressFromString(pad(numberToHex(number), { size: 20 }));
  const { execResult } = await evm.runCall({ to, data, gasLimit: gas });
  return { gas: execResult.executionGasUsed, ok: !execResult.exceptionError, size: execResult.returnValue.length };
};

/** digest, r, s, x, y of a true signature. */
const p256Input = (): Uint8Array => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const message = Buffer.from('who made this model');
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const signature = sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const digest = Buffer.from(sha256(message).slice(2), 'hex');
  return new Uint8Array(Buffer.concat([digest, signature, Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]));
};

describe('P256VERIFY', () => {
  it.each<[Fork, bigint]>([
    ['fjord', 3_450n],
    ['jovian', 3_450n],
    ['karst', 6_900n],
  ])('of %s costs %i gas, whether the signature is true or not', async (fork, gas) => {
    const input = p256Input();
    expect(await call(fork, 0x100, input)).toEqual({ gas, ok: true, size: 32 });
    input[0] = (input[0] ?? 0) ^ 1;
    expect(await call(fork, 0x100, input)).toEqual({ gas, ok: true, size: 0 });
    expect(await call(fork, 0x100, input, gas - 1n)).toEqual({ gas: gas - 1n, ok: false, size: 0 });
  });

  it('is not there before Fjord', async () => {
    expect(await call('ecotone', 0x100, p256Input())).toEqual({ gas: 0n, ok: true, size: 0 });
  });
});

describe('inputs of precompiles', () => {
  const [PAIRING, G1_MSM, G2_MSM, BLS_PAIRING] = [0x08, 0x0c, 0x0e, 0x0f];
  // The most that each fork takes, in whole pairs.
  it.each<[Fork, number, number, number]>([
    ['granite', PAIRING, 192, 112_687],
    ['isthmus', PAIRING, 192, 112_687],
    ['jovian', PAIRING, 192, 81_984],
    ['karst', PAIRING, 192, 57_600],
    ['isthmus', G1_MSM, 160, 513_760],
    ['jovian', G1_MSM, 160, 288_960],
    ['isthmus', G2_MSM, 288, 488_448],
    ['jovian', G2_MSM, 288, 278_784],
    ['isthmus', BLS_PAIRING, 384, 235_008],
    ['jovian', BLS_PAIRING, 384, 156_672],
  ])('%s: %i takes pairs of %i bytes up to %i', async (fork, number, pair, limit) => {
    const most = Math.floor(limit / pair) * pair;
    expect((await call(fork, number, new Uint8Array(most))).ok).toBe(true);
    expect(await call(fork, number, new Uint8Array(most + pair), 40_000_000n)).toEqual({
      gas: 40_000_000n,
      ok: false,
      size: 0,
    });
  });

  it('have no bound before Granite', async () => {
    expect((await call('fjord', PAIRING, new Uint8Array(192 * 600))).ok).toBe(true);
  });
});

it('the point evaluation precompile refuses what its commitment does not prove', async () => {
  const answer = await call('ecotone', 0x0a, new Uint8Array(192), 60_000n);
  expect(answer).toEqual({ gas: 60_000n, ok: false, size: 0 });
  const infinity: Hex = `0xc0${'00'.repeat(47)}`;
  const commitment = Buffer.from(infinity.slice(2), 'hex');
  const versioned = Buffer.from(sha256(infinity).slice(4), 'hex');
  const zeros = Buffer.alloc(64);
  const proof = Buffer.concat([Buffer.of(1), versioned, zeros, commitment, commitment]);
  expect(await call('ecotone', 0x0a, new Uint8Array(proof), 60_000n)).toEqual({ gas: 50_000n, ok: true, size: 64 });
});
