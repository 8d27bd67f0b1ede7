import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { contracts } from '@openledger/client';
import { silentLogger } from '@openledger/kit';
import type { Hex } from 'viem';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunnerView } from '../src/chain/runnerView.ts';
import { runnerError } from '../src/errors.ts';
import { validateContribution } from '../src/jobs/validateContribution.ts';
import { ContentStore } from '../src/store/contentStore.ts';
import {
  accepted,
  datanetCreated,
  event,
  hashOf,
  low,
  payer,
  runner,
  stranger,
  submitted,
  tell,
  viewOf,
} from './support/chainEvents.ts';
import { tempFolder } from './support/database.ts';
import { engineError, ScriptedEngine } from './support/scriptedEngine.ts';
import { reverted, ScriptedSender } from './support/scriptedSender.ts';

describe('validateContribution', () => {
  let root: string;
  let store: ContentStore;
  let view: RunnerView;
  let engine: ScriptedEngine;
  let sender: ScriptedSender;
  let file: Hex;
  const put = async (text: string): Promise<Hex> => `0x${await store.put(Buffer.from(text))}`;
  beforeEach(async () => {
    root = tempFolder();
    mkdirSync(join(root, 'files'));
    store = new ContentStore(join(root, 'files'));
    file = await put('a text');
    view = viewOf(datanetCreated(), submitted(5n, file));
    engine = new ScriptedEngine({ validate_file: () => ({ accepted: true, score: 77 }) });
    sender = new ScriptedSender();
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const validate = (id = 5n) =>
    validateContribution(id, { view, store, engine, transactor: sender, log: silentLogger });

  it('accepts with the engine’s score', async () => {
    expect(await validate()).toEqual({ accepted: true, score: 77 });
    expect(sender.calls).toMatchObject([
      { address: contracts.datanets.address, functionName: 'accept', args: [5n, 77, 0n] },
    ]);
  });

  it('shows the engine the file under a name with its format, and takes it away again', async () => {
    engine.script.validate_file = ({ path }) => ({ accepted: true, score: readFileSync(String(path)).length });
    expect(await validate()).toEqual({ accepted: true, score: 6 });
    const [params] = engine.asked('validate_file');
    expect(params).toEqual({ path: expect.stringMatching(/\.txt$/), format: 'txt', max_bytes: 10_000_000, known: [] });
    expect(existsSync(String(params?.path))).toBe(false);
  });

  it('compares with what was submitted before and is here and not rejected', async () => {
    const prior = { pending: await put('1'), rejected: await put('3') };
    tell(view, submitted(1n, prior.pending), submitted(2n, hashOf('not uploaded')), submitted(3n, prior.rejected));
    tell(view, submitted(4n, await put('4'), 2n), submitted(6n, await put('6')));
    const decision = { datanetId: 1n, contributor: low(payer.address), reviewer: low(runner.address), reason: 'x' };
    tell(view, event('ContributionRejected', { contributionId: 3n, ...decision }));
    await validate();
    expect(engine.asked('validate_file')[0]?.known).toEqual([
      { contribution_id: '1', path: store.path(prior.pending.slice(2)) },
    ]);
  });

  it.each([
    ['with the reason', { reason: 'too_short' }, 'too_short'],
    ['with the reason and what was found', { reason: 'near_duplicate', message: 'as 4' }, 'near_duplicate: as 4'],
    ['without a reason', {}, 'rejected'],
  ])('rejects %s', async (_name, verdict, said) => {
    engine.script.validate_file = () => ({ accepted: false, ...verdict });
    await validate();
    expect(sender.calls).toMatchObject([{ functionName: 'reject', args: [5n, said] }]);
  });

  it('cuts a reason to the bytes that the contract takes, at a character', async () => {
    engine.script.validate_file = () => ({ accepted: false, reason: `x${'€'.repeat(1_000)}` });
    await validate();
    expect(sender.sent('reject')).toEqual([[5n, `x${'€'.repeat(341)}`]]);
  });

  it('rejects a file that the engine can not read, with the reason, and leaves nothing behind', async () => {
    engine.script.validate_file = () => {
      throw engineError('bad_file', 'the PDF has a password', 'encrypted');
    };
    expect(await validate()).toMatchObject({ accepted: false, reason: 'encrypted' });
    expect(sender.sent('reject')).toEqual([[5n, 'encrypted']]);
    expect(existsSync(String(engine.asked('validate_file')[0]?.path))).toBe(false);
  });

  it('rejects a file that holds the engine up, instead of trying it again', async () => {
    engine.script.validate_file = () => {
      throw runnerError('ENGINE_TIMEOUT', 'validate_file took too long');
    };
    expect(await validate()).toMatchObject({ accepted: false, reason: 'too_complex' });
  });

  it.each([['bad_params'], ['bad_request'], ['unknown_method'], ['internal']])(
    'does not blame the contributor for %s',
    async (code) => {
      engine.script.validate_file = () => {
        throw engineError(code, 'our mistake');
      };
      await expect(validate()).rejects.toThrow('our mistake');
      expect(sender.calls).toEqual([]);
    },
  );

  it('waits for a file that is not uploaded yet', async () => {
    tell(view, submitted(8n, hashOf('later')));
    await expect(validate(8n)).rejects.toMatchObject({ code: 'FILE_UNKNOWN', handling: 'reject' });
    expect(sender.calls).toEqual([]);
  });

  it('leaves alone what is decided, unknown or for others to review', async () => {
    tell(view, datanetCreated(2n, stranger.address), submitted(7n, file, 2n), accepted(5n, 0));
    for (const id of [5n, 7n, 99n]) expect(await validate(id)).toBeUndefined();
    expect([engine.calls, sender.calls]).toEqual([[], []]);
  });

  it.each([['accept'], ['reject']])('takes it well when others were first to %s', async (functionName) => {
    engine.script.validate_file = () => ({ accepted: functionName === 'accept', score: 1 });
    sender.answers[functionName] = () => {
      throw reverted('AlreadyDecided');
    };
    await expect(validate()).resolves.toBeDefined();
    sender.answers[functionName] = () => {
      throw reverted('NotReviewer');
    };
    await expect(validate()).rejects.toMatchObject({ meta: { error: 'NotReviewer' } });
  });
});
