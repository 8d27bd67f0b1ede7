import { auditFindings, auditStatuses } from '@openledger/contracts';
import { nameOf, type Projection } from './projection.ts';

/** In the order of their numbers. */
const STATUSES = Object.keys(auditStatuses);
const FINDINGS = Object.keys(auditFindings);

const findingOf = (finding: number): string => nameOf(FINDINGS, finding, 'finding');

/** Outputs that are computed again, who does it, and what came of it. */
export const audits: Projection = {
  name: 'audits',
  on: {
    AuditOpened: ({ outputId, runner, auditor, modelId, batchIndex, sourceKind, deadline, seed }, at, changes) =>
      changes.insert('audits', {
        output_id: outputId,
        runner,
        auditor,
        model_id: modelId,
        batch_index: batchIndex,
        source_kind: sourceKind,
        seed,
        deadline,
        updated_position: at.position,
        ...at,
      }),
    AuditReported: ({ outputId, finding, detail }, { position }, changes) =>
      changes.update(
        'audits',
        { output_id: outputId },
        { finding: findingOf(finding), detail, updated_position: position },
      ),
    AuditContested: ({ outputId, juror0, juror1, juror2, deadline }, { position }, changes) => {
      for (const juror of [juror0, juror1, juror2]) {
        changes.insert('audit_votes', { output_id: outputId, juror, position });
      }
      const cells = { status: 'contested', deadline, updated_position: position };
      changes.update('audits', { output_id: outputId }, cells);
    },
    AuditVoted: ({ outputId, juror, finding, detail }, { position }, changes) => {
      changes.update('audit_votes', { output_id: outputId, juror }, { finding: findingOf(finding), detail, position });
      changes.update('audits', { output_id: outputId }, { updated_position: position });
    },
    AuditClosed: ({ outputId, outcome }, { position }, changes) =>
      changes.update(
        'audits',
        { output_id: outputId },
        { status: nameOf(STATUSES, outcome, 'outcome'), updated_position: position },
      ),
  },
};
