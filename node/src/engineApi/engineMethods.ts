import { activeFork, type BlockId, type Fork, includesFork } from '@openledger/chain-config';
import { describeError, isOpenLedgerError } from '@openledger/kit';
import type { Hex } from 'viem';
import type { Engine } from '../engine/engine.ts';
import { executePayload } from '../engine/executePayload.ts';
import { encodeExtraData } from '../execution/baseFee.ts';
import type { ChainReader } from '../rpc/chainReader.ts';
import type { Methods } from '../rpc/dispatch.ts';
import type { Json } from '../rpc/format.ts';
import { required, toHexBytes, toQuantity } from '../rpc/params.ts';
import { invalidParams, RpcError } from '../rpc/rpcError.ts';
import { type BuildRequest, PayloadBuilder } from './payloadBuilder.ts';
import { fromPayloadJson, toPayloadJson, toWithdrawals } from './payloadJson.ts';

const UNKNOWN_PAYLOAD = -38001;
const INVALID_FORKCHOICE = -38002;
const INVALID_ATTRIBUTES = -38003;
const UNSUPPORTED_FORK = -38005;

type JsonObject = Readonly<Record<string, unknown>>;
const ZERO: Hex = `0x${'00'.repeat(32)}`;

const object = (params: readonly unknown[], index: number): JsonObject => {
  const value = required(params, index);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidParams(`invalid argument ${index}: expected an object`);
  }
  return value as JsonObject;
};

/** First fork, and the one that ends it, of each version of a method. */
const forksOf = {
  forkchoiceUpdated: { 1: ['bedrock', 'canyon'], 2: ['bedrock', 'ecotone'], 3: ['ecotone', undefined] },
  newPayload: {
    1: ['bedrock', 'canyon'],
    2: ['bedrock', 'ecotone'],
    3: ['ecotone', 'isthmus'],
    4: ['isthmus', undefined],
  },
  getPayload: {
    1: ['bedrock', 'canyon'],
    2: ['bedrock', 'ecotone'],
    3: ['ecotone', 'isthmus'],
    4: ['isthmus', undefined],
    5: ['karst', undefined],
  },
} as const;

/**
 * The Engine API (execution-apis; specs/protocol/exec-engine.md): a consensus client, op-node or another, drives the same
 * engine that our own sequencer and derivation drive.
 */
export const engineMethods = (chain: ChainReader): Methods => {
  const { engine, mempool } = chain;
  const builder = new PayloadBuilder(engine, mempool);

  const checkFork = (method: keyof typeof forksOf, version: number, timestamp: bigint): void => {
    const range = (forksOf[method] as Record<number, readonly [Fork, Fork | undefined]>)[version];
    const fork = activeFork(engine.config.forks, timestamp);
    const [from, until] = range ?? ['bedrock', undefined];
    if (!includesFork(fork, from) || (until && includesFork(fork, until))) {
      throw new RpcError(UNSUPPORTED_FORK, `Unsupported fork: engine_${method}V${version} is not for ${fork}`);
    }
  };

  const newPayload = async (version: number, params: readonly unknown[]): Promise<Json> => {
    const json = object(params, 0);
    checkFork('newPayload', version, toQuantity(json.timestamp, 0));
    if (version >= 3 && Array.isArray(params[1]) && params[1].length > 0) {
      return invalid(engine, 'blob transactions do not exist on L2');
    }
    if (version >= 4 && Array.isArray(params[3]) && params[3].length > 0) {
      return invalid(engine, 'execution requests do not exist on L2');
    }
    try {
      const parentBeaconBlockRoot = version >= 3 ? toHexBytes(required(params, 2), 2, 32) : undefined;
      const payload = await fromPayloadJson(json, { parentBeaconBlockRoot, hasRequests: version >= 4 });
      const hash = toHexBytes(json.blockHash, 0, 32);
      const known = await engine.chain.blockByHash(hash);
      if (!known) await engine.store(await executePayload(engine, payload));
      return { status: 'VALID', latestValidHash: hash, validationError: null };
    } catch (error) {
      if (isOpenLedgerError(error, 'BLOCK_UNKNOWN_PARENT')) {
        return { status: 'SYNCING', latestValidHash: null, validationError: null };
      }
      if (!isOpenLedgerError(error) || error.handling !== 'reject') throw error;
      return invalid(engine, describeError(error), json.parentHash as Hex);
    }
  };

  const forkchoiceUpdated = async (version: number, params: readonly unknown[]): Promise<Json> => {
    const state = object(params, 0);
    const [head, safe, finalized] = ['headBlockHash', 'safeBlockHash', 'finalizedBlockHash'].map((name) =>
      toHexBytes(state[name], 0, 32),
    ) as [Hex, Hex, Hex];
    const block = await engine.chain.blockByHash(head);
    if (!block) {
      return { payloadStatus: { status: 'SYNCING', latestValidHash: null, validationError: null }, payloadId: null };
    }
    await applyForkchoice(engine, head, safe, finalized);
    const payloadStatus = { status: 'VALID', latestValidHash: head, validationError: null };
    if (params[1] == null) return { payloadStatus, payloadId: null };
    const request = toBuildRequest(engine, head, object(params, 1));
    checkFork('forkchoiceUpdated', version, request.block.timestamp);
    if (request.block.timestamp <= block.header.timestamp) {
      throw new RpcError(INVALID_ATTRIBUTES, 'Invalid payload attributes: timestamp is not after the head');
    }
    try {
      return { payloadStatus, payloadId: await builder.start(version, request) };
    } catch (error) {
      if (!isOpenLedgerError(error) || error.handling === 'retry') throw error;
      throw new RpcError(INVALID_ATTRIBUTES, `Invalid payload attributes: ${describeError(error)}`);
    }
  };

  const getPayload = async (version: number, params: readonly unknown[]): Promise<Json> => {
    const id = toHexBytes(required(params, 0), 0, 8);
    const sealed = await builder.get(id).catch((error) => {
      throw isOpenLedgerError(error, 'PAYLOAD_UNKNOWN') ? new RpcError(UNKNOWN_PAYLOAD, 'Unknown payload') : error;
    });
    const { header } = sealed;
    checkFork('getPayload', version, header.timestamp);
    const executionPayload = toPayloadJson(sealed);
    if (version === 1) return executionPayload;
    return {
      executionPayload,
      blockValue: '0x0',
      ...(version >= 3
        ? {
            blobsBundle: { commitments: [], proofs: [], blobs: [] },
            shouldOverrideBuilder: false,
            parentBeaconBlockRoot: header.parentBeaconBlockRoot ?? ZERO,
          }
        : {}),
      ...(version >= 4 ? { executionRequests: [] } : {}),
    };
  };

  const versions = <T extends keyof typeof forksOf>(
    name: T,
    handler: (version: number, params: readonly unknown[]) => Promise<Json>,
  ): Methods =>
    Object.fromEntries(
      Object.keys(forksOf[name]).map((v) => [`engine_${name}V${v}`, (params) => handler(Number(v), params)]),
    );
  const methods: Methods = {
    ...versions('newPayload', newPayload),
    ...versions('forkchoiceUpdated', forkchoiceUpdated),
    ...versions('getPayload', getPayload),
    engine_getClientVersionV1: () => [{ code: 'OL', name: 'OpenLedger', version: 'v0.1.0', commit: '0x00000000' }],
  };
  return { ...methods, engine_exchangeCapabilities: () => Object.keys(methods) };
};

const invalid = (engine: Engine, validationError: string, parentHash?: Hex): Json => ({
  status: 'INVALID',
  latestValidHash: parentHash ?? engine.heads.unsafe.hash,
  validationError,
});

/** @throws -38002 when safe or finalized aren't ancestors of the head */
const applyForkchoice = async (engine: Engine, head: Hex, safe: Hex, finalized: Hex): Promise<void> => {
  const idOf = async (hash: Hex): Promise<BlockId | undefined> => {
    if (hash === ZERO) return undefined;
    const block = await engine.chain.blockByHash(hash);
    if (!block) throw new RpcError(INVALID_FORKCHOICE, 'Invalid forkchoice state: unknown safe or finalized block');
    return { hash, number: block.header.number };
  };
  const [safeId, finalizedId] = [await idOf(safe), await idOf(finalized)];
  try {
    // Below the old safe head the chain can only be taken back once that has moved.
    const block = await engine.chain.blockByHash(head);
    const lower = block && block.header.number < engine.heads.safe.number ? safeId : undefined;
    if (lower) await engine.setHeads({ safe: lower });
    await engine.setUnsafeHead(head);
    await engine.setHeads({
      ...(safeId ? { safe: safeId } : {}),
      ...(finalizedId ? { finalized: finalizedId } : {}),
    });
  } catch (error) {
    if (!isOpenLedgerError(error) || error.handling === 'retry') throw error;
    throw new RpcError(INVALID_FORKCHOICE, `Invalid forkchoice state: ${describeError(error)}`);
  }
};

const toBuildRequest = (engine: Engine, parentHash: Hex, json: JsonObject): BuildRequest => {
  const timestamp = toQuantity(json.timestamp, 1);
  const fork = activeFork(engine.config.forks, timestamp);
  if (json.gasLimit == null) throw new RpcError(INVALID_ATTRIBUTES, 'Invalid payload attributes: gasLimit is missing');
  const gasLimit = toQuantity(json.gasLimit, 1);
  const eip1559Params = json.eip1559Params == null ? undefined : toHexBytes(json.eip1559Params, 1, 8);
  const minBaseFee = json.minBaseFee == null ? undefined : BigInt(json.minBaseFee as string | number);
  if (includesFork(fork, 'holocene') && !eip1559Params) {
    throw new RpcError(INVALID_ATTRIBUTES, 'Invalid payload attributes: eip1559Params are missing');
  }
  const words = BigInt(eip1559Params ?? 0);
  return {
    parentHash,
    block: {
      timestamp,
      gasLimit,
      prevRandao: toHexBytes(json.prevRandao, 1, 32),
      feeRecipient: toHexBytes(json.suggestedFeeRecipient, 1, 20),
      ...(json.parentBeaconBlockRoot == null
        ? {}
        : { parentBeaconBlockRoot: toHexBytes(json.parentBeaconBlockRoot, 1, 32) }),
      extraData: encodeExtraData(fork, engine.config.eip1559, {
        eip1559Denominator: Number(words >> 32n),
        eip1559Elasticity: Number(words & 0xffff_ffffn),
        minBaseFee: minBaseFee ?? 0n,
      }),
      withdrawals: toWithdrawals(json.withdrawals),
    },
    transactions: (Array.isArray(json.transactions) ? json.transactions : []).map((raw) => toHexBytes(raw, 1)),
    noTxPool: json.noTxPool === true,
    given: {
      gasLimit,
      ...(eip1559Params ? { eip1559Params } : {}),
      ...(minBaseFee === undefined ? {} : { minBaseFee }),
    },
  };
};
