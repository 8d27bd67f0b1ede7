import { Common, Hardfork, Mainnet } from '@ethereumjs/common';
import { toRlp } from 'viem';
import { createCommon } from '../../../../node/src/execution/createCommon.ts';
import { makeBlockZero } from '../../../../node/src/genesis/blockZero.ts';
import { readGethGenesis } from '../../../../node/src/genesis/gethGenesis.ts';
import { decodeRlp } from '../../../../node/src/primitives/decodeRlp.ts';
import { encodeHeader } from '../../../../node/src/primitives/header.ts';
import type { Case } from '../../suite.ts';
import { expectEqual, hex } from '../support/expect.ts';
import { type FixtureFile, parseJson } from '../support/fixtureFiles.ts';
import { openStates } from '../support/states.ts';

/** GenesisTests: the RLP of a whole Frontier block 0. */
export const genesisCases = (file: FixtureFile): Case[] =>
  Object.entries(parseJson<Record<string, { result: string }>>(file)).map(([name, { result, ...genesis }]) => ({
    name: `${file.path} ${name}`,
    run: async () => {
      const { customCrypto } = createCommon(1);
      const common = new Common({ chain: Mainnet, hardfork: Hardfork.Chainstart, customCrypto });
      const { header } = await makeBlockZero(readGethGenesis(JSON.stringify(genesis)), openStates(), common);
      expectEqual(toRlp([decodeRlp(encodeHeader(header)), [], []] as never), hex(result), 'block');
    },
  }));
