import {
  CrossChainMessenger,
  DEFAULT_L2_CONTRACT_ADDRESSES,
  ETHBridgeAdapter,
  StandardBridgeAdapter,
} from '@eth-optimism/sdk';
import { opPredeploys } from '@openledger/chain-config';
import { providers, Wallet } from 'ethers';
import { type Address, type Hex, zeroAddress } from 'viem';
import type { Rollup } from './rollup.ts';

/** The older client, on ethers 5, for a chain that it doesn't know. */
export const crossChainMessenger = (rollup: Rollup, privateKey: Hex): CrossChainMessenger => {
  const { l1, url, engine } = rollup;
  const { l1ChainId, l2ChainId } = engine.config;
  const { optimismPortal, l2OutputOracle, l1CrossDomainMessenger, l1StandardBridge } = l1.file.l1Contracts;
  const at = (rpc: string, chainId: number) =>
    new Wallet(privateKey, new providers.StaticJsonRpcProvider(rpc, { chainId, name: `chain ${chainId}` }));
  const bridge = { l1Bridge: l1StandardBridge, l2Bridge: opPredeploys.l2StandardBridge };
  return new CrossChainMessenger({
    bedrock: true,
    l1ChainId,
    l2ChainId,
    l1SignerOrProvider: at(l1.url, l1ChainId),
    l2SignerOrProvider: at(url, l2ChainId),
    contracts: {
      l1: {
        AddressManager: zeroAddress,
        StateCommitmentChain: zeroAddress,
        CanonicalTransactionChain: zeroAddress,
        BondManager: zeroAddress,
        L1CrossDomainMessenger: l1CrossDomainMessenger,
        L1StandardBridge: l1StandardBridge,
        OptimismPortal: optimismPortal,
        L2OutputOracle: l2OutputOracle,
      },
      l2: DEFAULT_L2_CONTRACT_ADDRESSES,
    },
    bridges: {
      Standard: { Adapter: StandardBridgeAdapter, ...bridge },
      ETH: { Adapter: ETHBridgeAdapter, ...bridge },
    },
  });
};

/** The SDK's own `withdrawERC20` calls a function that bridges refuse on chains with a coin of their own. */
export const withdrawTokenThrough = async (
  sdk: CrossChainMessenger,
  l2Token: Address,
  l1Token: Address,
  amount: number,
): Promise<Hex> => {
  const bridge = sdk.contracts.l2.L2StandardBridge.connect(sdk.l2Signer);
  const data = bridge.interface.encodeFunctionData('bridgeERC20', [l2Token, l1Token, amount, 0, '0x']);
  const { hash } = await sdk.l2Signer.sendTransaction({ to: bridge.address, data });
  return hash as Hex;
};
