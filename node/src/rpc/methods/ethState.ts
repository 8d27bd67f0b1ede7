import { createAddressFromString } from '@ethereumjs/util';
import { type Address, bytesToHex, type Hex, numberToHex, pad } from 'viem';
import type { ChainReader } from '../chainReader.ts';
import type { Methods } from '../dispatch.ts';
import type { Json } from '../format.ts';
import { required, toAddress, toBlockSelector, toCallRequest, toHexBytes, toSlot } from '../params.ts';
import { invalidParams } from '../rpcError.ts';
import { callError, estimateGas, simulateCall } from '../simulate.ts';
import { toBlockOverrides } from '../simulateV1/blockOverrides.ts';
import { simulateV1 } from '../simulateV1/simulateV1.ts';
import { toSimulation } from '../simulateV1/toSimulation.ts';
import { toStateOverrides } from '../stateOverrides.ts';
import { getProof } from '../stateProof.ts';

/** Storage slots that one request may name. */
const MAX_SLOTS = 1024;

/** Methods that read state or execute on it without changing it. */
export const ethStateMethods = (chain: ChainReader): Methods => ({
  eth_getBalance: async (params) => {
    const { balance } = await chain.account(toAddress(params, 0), toBlockSelector(params[1], 1));
    return numberToHex(balance);
  },
  eth_getTransactionCount: async (params) => {
    const address = toAddress(params, 0);
    const selector = toBlockSelector(params[1], 1);
    const { nonce } = await chain.account(address, selector);
    return numberToHex(selector === 'pending' ? chain.mempool.nextNonce(address, nonce) : nonce);
  },
  eth_getCode: async (params) => bytesToHex(await chain.code(toAddress(params, 0), toBlockSelector(params[1], 1))),
  eth_getStorageAt: async (params) => {
    const slot = toSlot(required(params, 1), 1);
    const value = await chain.storage(toAddress(params, 0), slot, toBlockSelector(params[2], 2));
    return pad(bytesToHex(value), { size: 32 });
  },
  eth_getStorageValues: async (params) => {
    const wanted = required(params, 0);
    if (typeof wanted !== 'object' || wanted === null) throw invalidParams('invalid argument 0: expected addresses');
    const selector = toBlockSelector(params[1], 1);
    const lists = Object.entries(wanted as Record<string, unknown>).map(([address, slots]) => {
      if (!Array.isArray(slots)) throw invalidParams('invalid argument 0: expected an array of storage keys');
      return { address: toHexBytes(address, 0, 20) as Address, slots: slots.map((slot) => toSlot(slot, 0)) };
    });
    const count = lists.reduce((sum, { slots }) => sum + slots.length, 0);
    if (count === 0) throw invalidParams('empty request');
    if (count > MAX_SLOTS) throw invalidParams(`too many slots (max ${MAX_SLOTS})`);
    const values: Record<string, Json> = {};
    for (const { address, slots } of lists) {
      const read = slots.map(async (slot) =>
        pad(bytesToHex(await chain.storage(address, slot, selector)), { size: 32 }),
      );
      values[address] = await Promise.all(read);
    }
    return values;
  },
  eth_getProof: async (params) => {
    const address = toAddress(params, 0);
    const slots = required(params, 1);
    if (!Array.isArray(slots)) throw invalidParams('invalid argument 1: expected an array of storage keys');
    if (slots.length > MAX_SLOTS) throw invalidParams(`too many slots (max ${MAX_SLOTS})`);
    const keys = slots.map((slot) => ({ asked: slot as Hex, key: toSlot(slot, 1) }));
    return getProof(chain, address, keys, toBlockSelector(params[2], 2));
  },
  eth_call: async (params) => {
    const call = toCallRequest(required(params, 0), 0);
    const outcome = await simulateCall(chain, call, toBlockSelector(params[1], 1), {
      state: toStateOverrides(params[2], 2),
      block: toBlockOverrides(params[3], 3),
    });
    if (outcome.error) throw callError(outcome);
    return outcome.returned;
  },
  eth_simulateV1: async (params) => {
    const simulation = toSimulation(required(params, 0), 0);
    return simulateV1(chain, simulation, toBlockSelector(params[1], 1));
  },
  eth_estimateGas: async (params) => {
    const call = toCallRequest(required(params, 0), 0);
    const overrides = { state: toStateOverrides(params[2], 2), block: toBlockOverrides(params[3], 3) };
    return numberToHex(await estimateGas(chain, call, toBlockSelector(params[1], 1), overrides));
  },
  eth_createAccessList: async (params) => {
    const call = toCallRequest(required(params, 0), 0);
    const outcome = await simulateCall(chain, call, toBlockSelector(params[1], 1), { reportAccessList: true });
    const skip = new Set([call.from, call.to].filter(Boolean));
    const precompiles = new Set(
      [...Array(0x12).keys(), 0x100].map((n) =>
        bytesToHex(createAddressFromString(pad(numberToHex(n), { size: 20 })).bytes),
      ),
    );
    const accessList = outcome.accessList.filter(
      (item) => item.storageKeys.length > 0 || !(skip.has(item.address) || precompiles.has(item.address)),
    );
    return { accessList, gasUsed: numberToHex(outcome.gasUsed), ...(outcome.error ? { error: outcome.error } : {}) };
  },
});
