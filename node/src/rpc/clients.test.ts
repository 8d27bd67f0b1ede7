import { verifyMerkleProof } from '@ethereumjs/mpt';
import { RLP } from '@ethereumjs/rlp';
import { opPredeploys, predeploys } from '@openledger/chain-config';
import { datanetsAbi, l1BlockAbi, modelsAbi } from '@openledger/contracts';
import { createRemoteReader, type LogEntry } from '@openledger/event-log';
import { Contract, Wallet as EthersWallet, JsonRpcProvider, WebSocketProvider } from 'ethers';
import { bytesToHex, encodeFunctionData, type Hex, hexToBytes, keccak256, parseEventLogs, toBytes } from 'viem';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { INITIAL_BALANCE } from '../../test/support/testGenesis.ts';
import { startTestServer, type TestServer } from '../../test/support/testServer.ts';
import { ana, bo, chi, lower } from '../../test/support/wallets.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const createDatanet = (name: string): Hex =>
  encodeFunctionData({ abi: datanetsAbi, functionName: 'createDatanet', args: [name, 0, 'text'] });

describe('viem', () => {
  it('sends, waits and reads what happened', async () => {
    const { client, chain } = server;
    const hash = await server
      .wallet(ana)
      .sendTransaction({ account: ana, chain: server.viemChain, to: bo.address, value: 5n });
    expect(await client.getTransaction({ hash })).toMatchObject({ blockHash: null, value: 5n });
    const block = await chain.step();
    const receipt = await client.waitForTransactionReceipt({ hash });
    expect(receipt).toMatchObject({ status: 'success', blockHash: block.hash, l1Fee: expect.anything() });
    expect(await client.getTransaction({ hash })).toMatchObject({
      blockNumber: block.header.number,
      from: lower(ana.address),
    });
    expect(await client.getBalance({ address: bo.address })).toBe(INITIAL_BALANCE + 5n);
  });

  it('calls contracts, reads logs by address and topic, and by filter', async () => {
    const { client, chain } = server;
    const filter = await client.createContractEventFilter({ abi: datanetsAbi, address: predeploys.datanets });
    const from = chain.engine.heads.unsafe.number + 1n;
    const { hash } = await chain.execute(ana, { to: predeploys.datanets, data: createDatanet('viem') });
    await chain.step();
    const receipt = await client.getTransactionReceipt({ hash });
    const [created] = parseEventLogs({ abi: datanetsAbi, logs: receipt.logs, eventName: 'DatanetCreated' });
    expect(created?.args).toMatchObject({ name: 'viem', owner: ana.address });
    const logs = await client.getContractEvents({ abi: datanetsAbi, eventName: 'DatanetCreated', fromBlock: from });
    expect(logs.map(({ args, logIndex }) => [args.name, logIndex])).toEqual([['viem', 0]]);
    expect(await client.getContractEvents({ abi: modelsAbi, eventName: 'ModelRetired', fromBlock: 0n })).toEqual([]);
    expect((await client.getFilterChanges({ filter })).map((log) => log.transactionHash)).toEqual([hash]);
    expect(await client.getFilterChanges({ filter })).toEqual([]);
    expect(await client.uninstallFilter({ filter })).toBe(true);
  });

  it('gets the revert data of a failed call, with code 3', async () => {
    const data = encodeFunctionData({ abi: modelsAbi, functionName: 'model', args: [404n] });
    const { error } = await server.rpc('eth_call', [{ to: predeploys.models, data }, 'latest']);
    expect(error).toMatchObject({ code: 3, message: expect.stringMatching(/^execution reverted/) });
    expect(error?.data).toMatch(/^0x[0-9a-f]{8}/);
    const read = server.client.readContract({
      abi: modelsAbi,
      address: predeploys.models,
      functionName: 'model',
      args: [404n],
    });
    await expect(read).rejects.toThrow(/UnknownModel|reverted/);
    const estimate = await server.rpc('eth_estimateGas', [{ to: predeploys.models, data }]);
    expect(estimate.error?.code).toBe(3);
  });

  it('counts waiting transactions in the pending nonce only', async () => {
    const { client, chain } = server;
    const nonce = await client.getTransactionCount({ address: chi.address });
    await chain.send(chi, { nonce });
    await chain.send(chi, { nonce: nonce + 2 });
    const count = (blockTag: 'pending' | 'latest') => client.getTransactionCount({ address: chi.address, blockTag });
    expect([await count('pending'), await count('latest')]).toEqual([nonce + 1, nonce]);
    await chain.send(chi, { nonce: nonce + 1 });
    expect(await count('pending')).toBe(nonce + 3);
    await chain.step();
    expect(await count('latest')).toBe(nonce + 3);
  });

  it('reads the state of every block that there was', async () => {
    const { client, chain } = server;
    const start = chain.engine.heads.unsafe.number;
    const before = await client.getBalance({ address: bo.address });
    for (const value of [1n, 10n, 100n]) await chain.execute(ana, { to: bo.address, value });
    const at = (offset: bigint) => client.getBalance({ address: bo.address, blockNumber: start + offset });
    expect([await at(0n), await at(1n), await at(2n), await at(3n)].map((b) => b - before)).toEqual([
      0n,
      1n,
      11n,
      111n,
    ]);
    const number = (blockNumber: bigint) =>
      client.readContract({
        abi: l1BlockAbi,
        address: opPredeploys.l1Block,
        functionName: 'sequenceNumber',
        blockNumber,
      });
    expect((await number(start + 2n)) - (await number(start + 1n))).toBe(1n);
  });

  it('gets a fee history that fits the blocks', async () => {
    const { client, chain } = server;
    await chain.execute(ana, { to: bo.address, tip: 7n });
    const history = await client.getFeeHistory({ blockCount: 2, rewardPercentiles: [0, 100] });
    const head = await chain.engine.headBlock();
    expect(history.oldestBlock).toBe(head.header.number - 1n);
    expect(history.baseFeePerGas).toHaveLength(3);
    expect(history.baseFeePerGas[1]).toBe(head.header.baseFeePerGas);
    expect(history.gasUsedRatio[1]).toBeCloseTo(Number(head.header.gasUsed) / Number(head.header.gasLimit));
    expect(history.reward?.[1]).toEqual([7n, 7n]);
    expect((await chain.step()).header.baseFeePerGas).toBe(history.baseFeePerGas[2]);
  });
});

describe('eth_getProof', () => {
  const prove = async (address: Hex, slots: Hex[]) => {
    const proof = await server.client.getProof({ address, storageKeys: slots });
    const { stateRoot } = await server.client.getBlock();
    const value = await verifyMerkleProof(
      keccak256(address, 'bytes'),
      proof.accountProof.map((node) => hexToBytes(node)),
      { root: hexToBytes(stateRoot), useKeyHashing: false },
    ).catch((error: Error) => error);
    return { proof, value };
  };

  it('proves an account and its storage against the state root', async () => {
    const slot: Hex = `0x${'00'.repeat(31)}01`;
    const { proof, value } = await prove(opPredeploys.l1Block, [slot]);
    if (!value || value instanceof Error) throw value ?? new Error('no account');
    const [nonce, balance, storageRoot, codeHash] = RLP.decode(value) as Uint8Array[];
    expect([bytesToHex(storageRoot ?? toBytes(0)), bytesToHex(codeHash ?? toBytes(0))]).toEqual([
      proof.storageHash,
      proof.codeHash,
    ]);
    expect([nonce?.length, balance?.length]).toEqual([proof.nonce === 0 ? 0 : 1, 0]);
    const [storage] = proof.storageProof;
    const stored = await verifyMerkleProof(
      keccak256(slot, 'bytes'),
      (storage?.proof ?? []).map((node) => hexToBytes(node)),
      { root: hexToBytes(proof.storageHash), useKeyHashing: false },
    );
    expect(bytesToHex(RLP.decode(stored ?? toBytes(0)) as Uint8Array)).toBe('0x07');
    expect(storage?.value).toBe(7n);
  });

  it('proves that an account, or a slot, is absent', async () => {
    const nobody: Hex = `0x${'4e'.repeat(20)}`;
    const { proof, value } = await prove(nobody, [`0x${'00'.repeat(32)}`]);
    expect(value).toBeNull();
    expect(proof).toMatchObject({ balance: 0n, nonce: 0, storageProof: [{ value: 0n }] });
    expect(proof.codeHash).toBe(keccak256('0x'));
    expect(proof.storageHash).toBe(keccak256('0x80'));
    const absent = await prove(opPredeploys.l1Block, [`0x${'77'.repeat(32)}`]);
    expect(absent.proof.storageProof[0]).toMatchObject({ value: 0n });
    expect(absent.proof.storageProof[0]?.proof.length).toBeGreaterThan(0);
  });
});

describe('ethers', () => {
  const open: { destroy(): unknown }[] = [];
  afterEach(async () => {
    for (const provider of open.splice(0)) await provider.destroy();
  });
  const provider = () => {
    const made = new JsonRpcProvider(server.url, undefined, { pollingInterval: 20, cacheTimeout: -1 });
    open.push(made);
    return made;
  };

  it('sends, waits, calls and reads blocks with deposits in them', async () => {
    const wallet = new EthersWallet(keccak256(toBytes('bo')), provider());
    const sent = await wallet.sendTransaction({ to: ana.address, value: 3n });
    const block = await server.chain.step();
    expect(await sent.wait()).toMatchObject({ status: 1, blockHash: block.hash });
    const read = await wallet.provider?.getBlock('latest', true);
    expect(read?.hash).toBe(block.hash);
    expect(read?.prefetchedTransactions.map(({ type }) => type)).toEqual([126, 2]);
    const contract = new Contract(predeploys.datanets, datanetsAbi as never, wallet);
    const response = await contract.getFunction('createDatanet')('ethers', 0, 'text');
    await server.chain.step();
    expect((await response.wait()).logs).toHaveLength(1);
    expect((await contract.queryFilter('DatanetCreated', -1)).length).toBe(1);
    await expect(contract.getFunction('datanet')(404n)).rejects.toMatchObject({ code: 'CALL_EXCEPTION' });
  });

  it('batches its requests', async () => {
    const shared = provider();
    const [number, balance, fees] = await Promise.all([
      shared.getBlockNumber(),
      shared.getBalance(ana.address),
      shared.getFeeData(),
    ]);
    expect(BigInt(number)).toBe(server.chain.engine.heads.unsafe.number);
    expect(balance).toBe(await server.chain.balance(ana.address));
    expect(fees.maxFeePerGas).toBeGreaterThan(0n);
  });

  it('subscribes to blocks, logs and waiting transactions', async () => {
    const socket = new WebSocketProvider(server.url.replace('http', 'ws'));
    open.push(socket);
    const seen = { blocks: [] as number[], pending: [] as string[], logs: [] as string[] };
    const done = new Promise<void>((resolve) => {
      const add = <T>(list: T[], item: T) => {
        list.push(item);
        if (Object.values(seen).every(({ length }) => length > 0)) resolve();
      };
      void socket.on('block', (number: number) => add(seen.blocks, number));
      void socket.on('pending', (hash: string) => add(seen.pending, hash));
      const filter = { address: predeploys.datanets };
      void socket.on(filter, (log: { transactionHash: string }) => add(seen.logs, log.transactionHash));
    });
    await socket.getNetwork();
    // Answers come in order: after this one the subscriptions stand.
    await socket.send('eth_chainId', []);
    const { hash, block } = await server.chain.execute(ana, { to: predeploys.datanets, data: createDatanet('socket') });
    await done;
    expect(seen).toEqual({ blocks: [Number(block.header.number)], pending: [hash], logs: [hash] });
  });
});

describe('gas estimates', () => {
  const estimateAndRun = async (call: { to: Hex | null; data: Hex; value?: bigint }) => {
    const to = call.to === null ? {} : { to: call.to };
    const params = { from: ana.address, data: call.data, value: `0x${(call.value ?? 0n).toString(16)}`, ...to };
    const { result, error } = await server.rpc('eth_estimateGas', [params]);
    expect(error).toBeUndefined();
    const gas = BigInt(result as string);
    const { receipt } = await server.chain.execute(ana, { ...call, gas });
    return { gas, receipt };
  };

  it.each<[string, { to: Hex | null; data: Hex; value?: bigint }]>([
    ['a transfer', { to: lower(bo.address), data: '0x', value: 1n }],
    ['a transfer to an account that is not there', { to: `0x${'91'.repeat(20)}`, data: '0x', value: 1n }],
    ['calldata under the floor price', { to: lower(bo.address), data: `0x${'11'.repeat(2_000)}` }],
    ['storage writes behind a proxy', { to: predeploys.datanets, data: createDatanet('estimate') }],
    ['a withdrawal', { to: opPredeploys.l2ToL1MessagePasser, data: '0x', value: 1n }],
    ['a creation', { to: null, data: `0x600a600c600039600a6000f3602a60005260206000f3` }],
    // Clears a slot that it has set: the refund comes only at the end.
    ['a refund', { to: null, data: '0x6001600055600060005560006001f3' }],
  ])('are enough and not far off: %s', async (_what, call) => {
    const { gas, receipt } = await estimateAndRun(call);
    expect(receipt.success).toBe(true);
    expect(gas).toBeGreaterThanOrEqual(receipt.gasUsed);
    expect(gas).toBeLessThan(receipt.gasUsed * 2n);
  });

  it('are exact for a transfer', async () => {
    expect((await estimateAndRun({ to: lower(bo.address), data: '0x', value: 1n })).gas).toBe(21_000n);
  });

  it('count an access list that is sent along', async () => {
    const storageKeys = Array.from({ length: 20 }, (_, i): Hex => `0x${i.toString(16).padStart(64, '0')}`);
    const accessList = [{ address: predeploys.models, storageKeys }];
    const { result } = await server.rpc('eth_estimateGas', [{ from: ana.address, to: bo.address, accessList }]);
    expect(BigInt(result as string)).toBeGreaterThanOrEqual(21_000n + 2_400n + 20n * 1_900n);
  });

  it('come with an access list that names what a call touches', async () => {
    const data = encodeFunctionData({ abi: l1BlockAbi, functionName: 'basefee' });
    const { result } = await server.rpc('eth_createAccessList', [
      { from: ana.address, to: opPredeploys.l1Block, data },
    ]);
    const { accessList, gasUsed } = result as { accessList: { address: Hex; storageKeys: Hex[] }[]; gasUsed: Hex };
    const own = accessList.find(({ address }) => address === opPredeploys.l1Block);
    expect(own?.storageKeys).toContain(`0x${'00'.repeat(31)}01`);
    expect(BigInt(gasUsed)).toBeGreaterThan(21_000n);
  });
});

describe('the server', () => {
  it('says that it lives, is ready or why not, and gives metrics', async () => {
    const get = async (path: string) => {
      const response = await fetch(`${server.url}${path}`);
      return { status: response.status, text: await response.text() };
    };
    expect(await get('/healthz')).toEqual({ status: 200, text: '{"status":"ok"}' });
    expect(await get('/readyz')).toEqual({ status: 200, text: '{"ready":true,"reasons":[]}' });
    server.reasons.push('the head is 99 s old');
    expect(await get('/readyz')).toEqual({ status: 503, text: '{"ready":false,"reasons":["the head is 99 s old"]}' });
    server.reasons.pop();
    const { status, text } = await get('/metrics');
    expect(status).toBe(200);
    expect(text).toMatch(/test_refs_number\{layer="l2",type="l2_unsafe"\} \d+/);
    expect(text).toMatch(/test_rpc_requests_total\{transport="http"\} \d+/);
    expect((await get('/nope')).status).toBe(404);
  });

  it('feeds the event log to other processes, live', async () => {
    const reader = createRemoteReader({ url: server.url });
    const head = await reader.head();
    expect(head).toEqual(await server.chain.engine.eventLog.head());
    const next = (async (): Promise<LogEntry | undefined> => {
      for await (const entry of reader.follow(head?.nextSeq ?? 0)) return entry;
      return undefined;
    })();
    const { block } = await server.chain.execute(ana, { to: predeploys.datanets, data: createDatanet('feed') });
    expect(await next).toMatchObject({ kind: 'block', hash: block.hash, events: [{ type: 'DatanetCreated' }] });
    expect((await fetch(`${server.url}/events?from=99999`)).status).toBe(416);
  });

  it('tells the state of the node as op-node does', async () => {
    const { unsafe } = server.chain.engine.heads;
    const { result } = await server.rpc('optimism_syncStatus');
    expect(result).toMatchObject({
      unsafe_l2: { hash: unsafe.hash, number: Number(unsafe.number) },
      safe_l2: { number: 0 },
    });
    const raw = await server.rpc('debug_getRawHeader', ['latest']);
    expect(keccak256(raw.result as Hex)).toBe(unsafe.hash);
    expect((await server.rpc('txpool_status')).result).toEqual({ pending: '0x0', queued: '0x0' });
  });
});
