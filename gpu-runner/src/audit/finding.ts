import type { auditFindings } from '@openledger/contracts';

/** What an auditor found, as the contract takes it. Our own inability to compute is an error and no finding. */
export type Finding = { readonly finding: Exclude<keyof typeof auditFindings, 'none'>; readonly detail: string };

export const matches = (detail: string): Finding => ({ finding: 'matches', detail });
export const differs = (detail: string): Finding => ({ finding: 'differs', detail });
export const unavailable = (detail: string): Finding => ({ finding: 'unavailable', detail });
