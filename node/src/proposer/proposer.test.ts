import type { BlockId } from '@openledger/chain-config';
import type { LevelDb } from '@openledger/event-log';
import { createMetrics, silentLogger } from '@openledger/kit';
import {
  type Abi,
  encodeDeployData,
  encodeFunctionData,
  getContractAddress,
  type Hex,
  keccak256,
  numberToHex,
} from 'viem';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AnvilL1, startAnvilL1 } from '../../test/support/anvil.ts';
import { openMemoryDb } from '../../test/support/memoryDb.ts';
import { wallet } from '../../test/support/wallets.ts';
import { optimismArtifact } from '../genesis/optimismArtifacts.ts';
import { createL1RpcSender } from '../l1/rpcL1Sender.ts';
import type { Header } from '../primitives/header.ts';
import { createOutputOracle, type OutputOracle } from './outputOracle.ts';
import { outputAtBlock, outputRootV0 } from './outputRoot.ts';
import { Proposer, type ProposerParts } from './proposer.ts';

const signer = wallet('proposer');
const deployer = wallet('deployer');
const INTERVAL = 5n;
const word = (value: bigint): Hex => numberToHex(value, { size: 32 });

describe('output roots', () => {
  it('are keccak256 of four words', () => {
    const roots = { stateRoot: word(1n), messagePasserStorageRoot: word(2n), blockHash: word(3n) };
    const words: Hex = `0x${[0n, 1n, 2n, 3n].map((value) => word(value).slice(2)).join('')}`;
    expect(outputRootV0(roots)).toBe(keccak256(words));
  });
  it('need a header that says the message passer’s root', () => {
    const header = { stateRoot: word(1n) } as Header;
    expect(() => outputAtBlock({ hash: word(1n), header })).toThrow(expect.objectContaining({ code: 'BLOCK_INVALID' }));
  });
});

describe('the proposer', () => {
  let l1: AnvilL1;
  let db: LevelDb;
  let oracle: OutputOracle;
  let heads: { safe: BlockId; finalized: BlockId };
  let fork: bigint;

  const blockAt = (number: bigint) => ({
    hash: keccak256(word(number + fork * 1000n)),
    header: { number, stateRoot: word(number), withdrawalsRoot: word(7n) } as unknown as Header,
  });
  const source = { heads: async () => heads, blockByNumber: async (number: bigint) => blockAt(number) };
  const open = (parts: Partial<ProposerParts> = {}) =>
    Proposer.open({
      ...{ source, oracle, signer, db, log: silentLogger, metrics: createMetrics('p') },
      ...{ l1: createL1RpcSender({ url: l1.url }), l1ChainId: l1.client.chain.id },
      transactions: { confirmations: 2, resubmitAfter: 2 },
      ...parts,
    });
  const l2At = (safe: bigint, finalized: bigint) => {
    heads = { safe: { number: safe, hash: blockAt(safe).hash }, finalized: { number: finalized, hash: word(0n) } };
  };
  const outputs = async () => {
    const { abi } = optimismArtifact('L2OutputOracle');
    const read = (functionName: string, args: unknown[] = []) =>
      l1.client.readContract({ address: oracle.address, abi, functionName, args } as never);
    const count = Number(await read('nextOutputIndex'));
    const all = [];
    for (let i = 0; i < count; i++)
      all.push((await read('getL2Output', [i])) as { outputRoot: Hex; l2BlockNumber: bigint });
    return all.map(({ outputRoot, l2BlockNumber }) => [l2BlockNumber, outputRoot]);
  };
  const expected = (number: bigint) => [number, outputAtBlock(blockAt(number)).outputRoot];
  const turns = async (proposer: Proposer, count: number) => {
    const steps = [];
    for (let i = 0; i < count; i++) {
      steps.push(await proposer.step());
      await l1.mine();
    }
    return steps;
  };

  beforeAll(async () => {
    l1 = await startAnvilL1();
    for (const { address } of [signer, deployer]) await l1.balance(address, 10n ** 20n);
  }, 30_000);
  afterAll(() => l1?.stop());

  /** A new oracle behind a proxy, whose L2 started an hour ago. */
  beforeEach(async () => {
    db = openMemoryDb();
    fork = 0n;
    const proxy = optimismArtifact('Proxy');
    const implementation = optimismArtifact('L2OutputOracle');
    let nonce = await l1.client.getTransactionCount({ address: deployer.address });
    const send = async (data: Hex, to?: Hex): Promise<Hex> => {
      const address = getContractAddress({ from: deployer.address, nonce: BigInt(nonce) });
      const fields = { account: deployer, data, gas: 3_000_000n, nonce: nonce++, ...(to ? { to } : {}) };
      await l1.client.sendTransaction(fields as Parameters<typeof l1.client.sendTransaction>[0]);
      return address;
    };
    const deploy = (abi: Abi, bytecode: Hex, args: unknown[]) => send(encodeDeployData({ abi, bytecode, args }));
    const address = await deploy(proxy.abi, proxy.bytecode, [deployer.address]);
    const logic = await deploy(implementation.abi, implementation.bytecode, []);
    const { timestamp } = await l1.client.getBlock();
    const initialize = encodeFunctionData({
      abi: implementation.abi,
      functionName: 'initialize',
      args: [INTERVAL, 2n, 0n, timestamp - 3_600n, signer.address, deployer.address, 12n],
    });
    const upgrade = { abi: proxy.abi, functionName: 'upgradeToAndCall', args: [logic, initialize] };
    await send(encodeFunctionData(upgrade), address);
    await l1.mine();
    oracle = createOutputOracle({ url: l1.url, address });
  });

  it('proposes the outputs that the oracle wants, one after the other', async () => {
    l2At(12n, 12n);
    const proposer = await open();
    expect(await proposer.step()).toMatchObject({ proposing: 5n });
    await turns(proposer, 8);
    expect(await outputs()).toEqual([expected(5n), expected(10n)]);
  });

  it('waits for final blocks, unless safe ones are enough', async () => {
    l2At(6n, 4n);
    await turns(await open(), 2);
    expect(await outputs()).toEqual([]);
    await turns(await open({ allowNonFinalized: true }), 2);
    expect(await outputs()).toEqual([expected(5n)]);
  });

  it('proposes nothing twice after a restart, with its journal or without', async () => {
    l2At(7n, 7n);
    await (await open()).step();
    await turns(await open(), 1);
    db = openMemoryDb();
    await turns(await open(), 4);
    expect(await outputs()).toEqual([expected(5n)]);
    expect(await l1.client.getTransactionCount({ address: signer.address })).toBeGreaterThan(0);
  });

  it('makes a proposal anew when its L1 block was taken back', async () => {
    l2At(7n, 7n);
    const proposer = await open();
    await l1.mine();
    await l1.mine();
    await proposer.step();
    await l1.client.request({ method: 'anvil_reorg' as never, params: [2, []] as never });
    await turns(proposer, 6);
    expect(await outputs()).toEqual([expected(5n)]);
  });

  it('cancels a proposal that L2 has outgrown before it landed', async () => {
    l2At(7n, 7n);
    const proposer = await open();
    await proposer.step();
    fork = 1n;
    await turns(proposer, 4);
    expect(await outputs()).toEqual([expected(5n)]);
  });

  it('stops when it is not the oracle’s proposer, and waits when it has no money', async () => {
    l2At(7n, 7n);
    const stranger = await open({ signer: deployer });
    await expect(stranger.step()).rejects.toMatchObject({ code: 'PROPOSER_NOT_ALLOWED', handling: 'fatal' });
    await expect(stranger.run(new AbortController().signal)).rejects.toMatchObject({ code: 'PROPOSER_NOT_ALLOWED' });
    await l1.balance(signer.address, 1n);
    const proposer = await open();
    expect((await proposer.step()).waiting).toMatchObject({ code: 'L1_INSUFFICIENT_FUNDS' });
    await l1.balance(signer.address, 10n ** 20n);
    await turns(proposer, 1);
    expect(await outputs()).toEqual([expected(5n)]);
  });

  it('tells why the oracle refuses', async () => {
    l2At(100_000n, 100_000n);
    const data = oracle.proposal({ outputRoot: word(1n), l2BlockNumber: 99n, l1: { hash: word(1n), number: 1n } });
    await expect(oracle.estimateGas(signer.address, data)).rejects.toMatchObject({
      code: 'OUTPUT_REFUSED',
      message: expect.stringContaining('next expected block number'),
    });
  });
});
