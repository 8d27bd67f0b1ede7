import { randomBytes } from 'node:crypto';
import { type TrainingControlMessage, trainingControlTypedData } from '@openledger/contracts';
import { type Account, type Address, bytesToBigInt, type Hex, recoverTypedDataAddress } from 'viem';
import { jobsDomain } from './vouchers.ts';

const LIFETIME_SECONDS = 300n;

export type TrainingAction = 'pause' | 'resume' | 'cancel';

export const trainingControlSigner = (
  chainId: number,
  message: TrainingControlMessage,
  signature: Hex,
): Promise<Address> =>
  recoverTypedDataAddress({ ...trainingControlTypedData(jobsDomain(chainId), message), signature });

/**
 * Pauses, resumes or cancels a training on the runner that holds it, as its requester. A cancelled one is paid back by the
 * contract. @throws Error with the runner's reason
 */
export const controlTraining = async (options: {
  url: string;
  account: Account;
  chainId: number;
  runner: Address;
  jobId: bigint;
  action: TrainingAction;
}): Promise<void> => {
  const { url, account, chainId, runner, jobId, action } = options;
  if (!account.signTypedData) throw new TypeError('this account can not sign typed data');
  const nonce = bytesToBigInt(randomBytes(32));
  const deadline = BigInt(Math.floor(Date.now() / 1000)) + LIFETIME_SECONDS;
  const message = { runner, jobId, action, nonce, deadline };
  const signature = await account.signTypedData(trainingControlTypedData(jobsDomain(chainId), message));
  const response = await fetch(new URL(`/v1/training/jobs/${jobId}/${action}`, url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ nonce: nonce.toString(), deadline: Number(deadline), signature }),
  });
  if (response.ok) return;
  const { error } = (await response.json().catch(() => ({}))) as { error?: { code: string; message: string } };
  throw new Error(error?.message ?? `refused with status ${response.status}`, { cause: error });
};
