import { type Address, type Chain, defineChain } from 'viem';
import { chainConfig } from 'viem/op-stack';
import type { L1Contracts } from './rollupConfig.ts';

export type ChainParameters = {
  id: number;
  name: string;
  rpcUrl: string;
  webSocketUrl?: string;
  l1ChainId: number;
  contracts?: Pick<L1Contracts, 'optimismPortal' | 'l2OutputOracle' | 'l1StandardBridge'>;
};

/** A viem chain for an OpenLedger network: OP Stack formatters and serializers, OPEN as the coin. */
export const openLedgerChain = ({ id, name, rpcUrl, webSocketUrl, l1ChainId, contracts }: ChainParameters): Chain => {
  const onL1 = (address: Address) => ({ [l1ChainId]: { address } });
  return defineChain({
    ...chainConfig,
    id,
    name,
    nativeCurrency: { name: 'OpenLedger', symbol: 'OPEN', decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl], ...(webSocketUrl ? { webSocket: [webSocketUrl] } : {}) } },
    sourceId: l1ChainId,
    contracts: {
      ...chainConfig.contracts,
      multicall3: { address: '0xca11bde05977b3631167028862be2a173976ca11' },
      ...(contracts
        ? {
            portal: onL1(contracts.optimismPortal),
            l2OutputOracle: onL1(contracts.l2OutputOracle),
            l1StandardBridge: onL1(contracts.l1StandardBridge),
          }
        : {}),
    },
  }) as Chain;
};
