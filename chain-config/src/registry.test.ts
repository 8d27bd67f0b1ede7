import { describe, expect, it } from 'vitest';
import { parseRegistryChain, parseRegistryNetwork, RegistryError } from './registry.ts';

const network = parseRegistryNetwork(`
name = "Testnet"
superchain_config_addr = "0x00000000000000000000000000000000000000AA"
[hardforks]
canyon_time = 100
ecotone_time = 1000
fjord_time = 5000
granite_time = 6000
[l1]
chain_id = 11155111
public_rpc = "https://l1.example"
explorer = ""
`);

const chainToml = (extra: { top?: string; forks?: string; addresses?: string } = {}) => `
name = "A chain"
public_rpc = "https://rpc.example"
sequencer_rpc = ""
explorer = ""
governed_by_optimism = true
data_availability_type = "eth-da"
chain_id = 4321
batch_inbox_addr = "0xFF00000000000000000000000000000000004321"
block_time = 2
seq_window_size = 3600
max_sequencer_drift = 600
${extra.top ?? ''}
[hardforks]
${extra.forks ?? ''}
[optimism]
eip1559_elasticity = 6
eip1559_denominator = 50
eip1559_denominator_canyon = 250
[genesis]
l2_time = 1000
[genesis.l1]
hash = "0x${'11'.repeat(32)}"
number = 7
[genesis.l2]
hash = "0x${'22'.repeat(32)}"
number = 0
[genesis.system_config]
batcherAddress = "0x00000000000000000000000000000000000000Bb"
overhead = "0x${'00'.repeat(31)}bc"
scalar = "0x${'00'.repeat(31)}01"
gasLimit = 30000000
[roles]
ProxyAdminOwner = "0x00000000000000000000000000000000000000Cc"
[addresses]
OptimismPortalProxy = "0x00000000000000000000000000000000000000Dd"
${extra.addresses ?? 'SystemConfigProxy = "0x00000000000000000000000000000000000000Ee"'}
`;

describe('a registry file', () => {
  it('becomes a rollup configuration', () => {
    const chain = parseRegistryChain(chainToml({ forks: 'pectra_blob_schedule_time = 9000' }), network);
    expect(chain).toMatchObject({
      name: 'A chain',
      dataAvailability: 'eth-da',
      governedByOptimism: true,
      roles: { ProxyAdminOwner: '0x00000000000000000000000000000000000000cc' },
    });
    expect(chain.config).toMatchObject({
      l1ChainId: 11155111,
      l2ChainId: 4321,
      blockTime: 2n,
      channelTimeout: 300n,
      genesis: { l1: { number: 7n }, l2Time: 1000n, systemConfig: { overhead: 0xbcn, gasLimit: 30_000_000n } },
      forks: { bedrock: 0n, regolith: 0n },
      pectraBlobScheduleTime: 9000n,
      eip1559: { elasticity: 6, denominator: 50, denominatorCanyon: 250 },
      depositContractAddress: '0x00000000000000000000000000000000000000dd',
      l1SystemConfigAddress: '0x00000000000000000000000000000000000000ee',
    });
    expect(chain.config.forks.canyon).toBeUndefined();
  });

  it('inherits the network’s forks from its superchain_time on; those of its genesis are at 0; its own go first', () => {
    const toml = chainToml({ top: 'superchain_time = 1000', forks: 'granite_time = 6001' });
    expect(parseRegistryChain(toml, network).config.forks).toEqual({
      bedrock: 0n,
      regolith: 0n,
      ecotone: 0n,
      fjord: 5000n,
      granite: 6001n,
    });
  });

  it('is refused when it is no TOML, lacks a value, or has one of the wrong kind', () => {
    const bad = [
      'name = ',
      chainToml({ addresses: '' }),
      chainToml({ forks: 'fjord_time = "soon"' }),
      chainToml({ forks: 'fjord_time = -1' }),
      chainToml().replace('00Bb', '00B'),
    ];
    for (const toml of bad) expect(() => parseRegistryChain(toml, network)).toThrow(RegistryError);
    expect(() => parseRegistryNetwork('name = "x"')).toThrow(RegistryError);
  });
});
