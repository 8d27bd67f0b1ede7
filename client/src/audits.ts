import { type AuditAccessMessage, auditAccessTypedData, headerRlp, type RpcHeader } from '@openledger/contracts';
import { type Account, type Address, type Hex, numberToHex, type PublicClient, recoverTypedDataAddress } from 'viem';
import type { AttributionPlace } from './attributionProof.ts';
import { isCanonical, jobsDomain } from './vouchers.ts';

export { type AuditRates, auditFindings, auditStatuses, drawOf } from '@openledger/contracts';

/** What Audits.open takes: the output's place, and the RLP of the beacon block's header. */
export type AuditOpening = readonly [place: AttributionPlace, beaconHeader: Hex];

/**
 * The arguments of `open` for an output whose place `attributionProof` made.
 *
 * @param beaconDelay in L2 blocks: Audits.BEACON_DELAY
 * @throws RangeError when there is no beacon block yet, or its header has a form that isn't known
 */
export const auditOpening = async (
  client: PublicClient,
  { place, beaconDelay }: { place: AttributionPlace; beaconDelay: number },
): Promise<AuditOpening> => {
  const beaconBlock = place.header.blockNumber + BigInt(beaconDelay);
  // As the node tells it: what viem makes of a block lacks the fields that viem doesn't know.
  const header = (await client.request({
    method: 'eth_getBlockByNumber',
    params: [numberToHex(beaconBlock), false],
  })) as RpcHeader | null;
  if (!header) throw new RangeError(`there is no block ${beaconBlock} yet`);
  return [place, headerRlp(header)];
};

/** An auditor's or juror's wish to see what an output was made from. */
export type AuditAccess = AuditAccessMessage & { readonly signature: Hex };

export const signAuditAccess = async (
  account: Account,
  chainId: number,
  message: AuditAccessMessage,
): Promise<AuditAccess> => {
  if (!account.signTypedData) throw new TypeError('this account can not sign typed data');
  return { ...message, signature: await account.signTypedData(auditAccessTypedData(jobsDomain(chainId), message)) };
};

/** Who signed; whether the deadline has passed is for the caller to say. @throws TypeError for what is no signature */
export const auditAccessSigner = async (chainId: number, access: AuditAccess): Promise<Address> => {
  const { signature, outputId, deadline } = access;
  if (!isCanonical(signature)) throw new TypeError('not a signature');
  return recoverTypedDataAddress({
    ...auditAccessTypedData(jobsDomain(chainId), { outputId, deadline }),
    signature,
  });
};
