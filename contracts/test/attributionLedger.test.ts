import { bytesToHex, encodeDeployData, type Hex, zeroHash } from 'viem';
import { describe, expect, it } from 'vitest';
import { outputIdOf } from '../ts/page/batchOutput.ts';
import { encodePages } from '../ts/page/encodePages.ts';
import { batchHead, pageProof, pagesRoot } from '../ts/page/pagesTree.ts';
import { hatchlingAbi, hatchlingBytecode } from './generated/Hatchling.ts';
import { account, isolateTests, startChain } from './support/chain.ts';
import { exampleOutput } from './support/pages.ts';
import { alice, createActor, deploySystem, MIN_BOND, otherRunner, runner } from './support/system.ts';

const chain = await startChain();
const { ledger, jobs, staking } = await deploySystem(chain);
isolateTests(chain);

const hexes = (pages: readonly Uint8Array[]): Hex[] => pages.map((page) => bytesToHex(page));

describe('AttributionLedger', () => {
  it('chains batches of bonded runners and of Jobs', async () => {
    const pages = [Uint8Array.of(1), Uint8Array.of(2, 2), Uint8Array.of(3)];
    const settlementsHash: Hex = `0x${'5e'.repeat(32)}`;
    expect(await ledger.read('head', [])).toBe(zeroHash);
    const first = await ledger.send(runner, 'append', [hexes(pages)]);
    const common = { pageCount: 3, pagesRoot: pagesRoot(pages), settlementsHash: zeroHash };
    const head = batchHead(0n, { previousHead: zeroHash, runner, blockNumber: first.blockNumber, ...common });
    expect(ledger.event(first, 'BatchAppended')).toEqual({ batchIndex: 0n, runner, ...common, head });
    const second = await ledger.send(jobs.address, 'appendFor', [otherRunner, ['0xff'], settlementsHash]);
    expect(ledger.event(second, 'BatchAppended')).toMatchObject({ batchIndex: 1n, runner: otherRunner });
    const header = {
      previousHead: head,
      runner: otherRunner,
      blockNumber: second.blockNumber,
      pageCount: 1,
      pagesRoot: pagesRoot([Uint8Array.of(255)]),
      settlementsHash,
    };
    expect(await ledger.read('batchCount', [])).toBe(2n);
    expect(await ledger.read('head', [])).toBe(batchHead(1n, header));
    expect(await ledger.read('headAt', [0n])).toBe(head);
    expect(await ledger.read('headAt', [2n])).toBe(zeroHash);
    await ledger.read('checkHeader', [1n, header]);
    expect(await ledger.refusalOf('checkHeader', [0n, header])).toBe('UnknownBatch');
  });

  it.each([1, 2, 3, 5, 8, 13])('has the root and the proofs of the library over %i pages', async (count) => {
    const outputs = Array.from({ length: count }, (_, i) => ({ ...exampleOutput, nonce: BigInt(i) }));
    const pages = encodePages(outputs, { targetBytes: 1 });
    expect(pages).toHaveLength(count);
    const receipt = await ledger.send(runner, 'append', [hexes(pages)]);
    const root = pagesRoot(pages);
    expect(ledger.event(receipt, 'BatchAppended').pagesRoot).toBe(root);
    const header = {
      previousHead: zeroHash,
      runner,
      blockNumber: receipt.blockNumber,
      pageCount: count,
      pagesRoot: root,
      settlementsHash: zeroHash,
    };
    for (const [pageIndex, page] of pages.entries()) {
      const place = {
        batchIndex: 0n,
        header,
        pageIndex: BigInt(pageIndex),
        page: bytesToHex(page),
        path: pageProof(pages, pageIndex),
        outputIndex: 0n,
      };
      const output = outputs[pageIndex] as typeof exampleOutput;
      const [outputId, contributionId, weight] = await ledger.read('proveAttribution', [place, 1n]);
      expect({ outputId, contributionId, weight }).toEqual({ outputId: outputIdOf(output), ...output.rows[1] });
      const proves = (changes: Partial<typeof place>, row = 0n) =>
        ledger.refusalOf('proveAttribution', [{ ...place, ...changes }, row]);
      expect(await proves({}, 2n)).toBe('NoRow');
      expect(await proves({ outputIndex: 1n })).toBe('NoOutput');
      expect(await proves({ batchIndex: 1n })).toBe('UnknownBatch');
      expect(await proves({ header: { ...header, runner: otherRunner } })).toBe('UnknownBatch');
      expect(await proves({ pageIndex: BigInt(count) })).toBe('BadPath');
      expect(await proves({ page: bytesToHex(encodePages([exampleOutput])[0] as Uint8Array) })).toBe('BadPath');
    }
  });

  it('does not prove what nodes reject', async () => {
    const page = Uint8Array.of(2, 0, 0);
    const receipt = await ledger.send(runner, 'append', [hexes([page])]);
    const header = {
      previousHead: zeroHash,
      runner,
      blockNumber: receipt.blockNumber,
      pageCount: 1,
      pagesRoot: pagesRoot([page]),
      settlementsHash: zeroHash,
    };
    const place = { batchIndex: 0n, header, pageIndex: 0n, page: bytesToHex(page), path: [], outputIndex: 0n };
    expect(await ledger.refusalOf('proveOutput', [place])).toBe('BadPage');
  });

  it('refuses what is no batch', async () => {
    await ledger.refuses(runner, 'append', [[]], 'EmptyBatch');
    await ledger.refuses(jobs.address, 'appendFor', [runner, [], zeroHash], 'EmptyBatch');
  });

  it('refuses whoever is neither a bonded runner nor Jobs', async () => {
    await ledger.refuses(alice, 'append', [['0x01']], 'NotBondedRunner', [alice]);
    await ledger.refuses(runner, 'appendFor', [runner, ['0x01'], zeroHash], 'NotJobs', [runner]);
    await staking.send(runner, 'requestUnbond', [1n]);
    await ledger.refuses(runner, 'append', [['0x01']], 'NotBondedRunner', [runner]);
  });

  it('refuses a call through a contract, bonded or not', async () => {
    const actor = await createActor(chain, MIN_BOND);
    await actor.send(alice, 'execute', [staking.address, MIN_BOND, staking.data('bond', [])]);
    const through = [ledger.address, 0n, ledger.data('append', [['0x01']])] as const;
    await actor.refuses(runner, 'execute', through, 'NotTopLevel', [actor.address]);
  });

  it('refuses a contract in construction, which has no code yet', async () => {
    const bond = { target: staking.address, value: MIN_BOND, data: staking.data('bond', []) };
    const append = { target: ledger.address, value: 0n, data: ledger.data('append', [['0x01']]) };
    const hatch = (calls: (typeof bond)[]) => {
      const data = encodeDeployData({ abi: hatchlingAbi, bytecode: hatchlingBytecode, args: [calls] });
      return chain.send({ from: runner, data, value: MIN_BOND });
    };
    expect((await hatch([bond])).status).toBe('success');
    expect((await hatch([bond, append])).status).toBe('reverted');
    expect(await ledger.read('batchCount', [])).toBe(0n);
  });

  it('refuses an account that EIP-7702 lets call itself: its batch would not be the calldata of the transaction', async () => {
    const signer = account(4);
    expect(signer.address).toBe(runner);
    const actor = await createActor(chain);
    const hash = await chain.client.sendTransaction({
      account: signer,
      to: runner,
      data: actor.data('execute', [ledger.address, 0n, ledger.data('append', [['0x01']])]),
      authorizationList: [
        await chain.client.signAuthorization({ account: signer, contractAddress: actor.address, executor: 'self' }),
      ],
      gas: 1_000_000n,
      maxFeePerGas: 0n,
      maxPriorityFeePerGas: 0n,
    });
    const receipt = await chain.client.waitForTransactionReceipt({ hash, pollingInterval: 20 });
    expect(receipt.status).toBe('reverted');
    expect(await chain.client.getCode({ address: runner })).toBe(`0xef0100${actor.address.slice(2).toLowerCase()}`);
    expect(await ledger.read('batchCount', [])).toBe(0n);
    // Also straight from such an account: it has code, so the two can't be told apart from inside.
    await ledger.refuses(runner, 'append', [['0x01']], 'NotTopLevel', [runner]);
  });
});
