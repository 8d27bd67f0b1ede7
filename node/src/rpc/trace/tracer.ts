import type { EVM, EVMResult, InterpreterStep, Message } from '@ethereumjs/evm';
import type { Receipt } from '../../primitives/receipt.ts';
import type { Json } from '../format.ts';

/** Follows one transaction through the EVM. */
export type Tracer = {
  step?(step: InterpreterStep): void;
  enter?(message: Message): void;
  exit?(result: EVMResult): void;
  /** What the trace is, once the transaction is done. `gasLimit` and `gasUsed` count intrinsic gas too. */
  result(outcome: { gasLimit: bigint; gasUsed: bigint; success: boolean }): Json;
};

export type TraceOutcome = Pick<Receipt, 'gasUsed' | 'success'>;

/** Runs `work` with the tracer listening; it hears nothing afterwards. */
export const observe = async <T>(evm: EVM, tracer: Tracer, work: () => Promise<T>): Promise<T> => {
  const step = (event: InterpreterStep) => tracer.step?.(event);
  const enter = (message: Message) => tracer.enter?.(message);
  const exit = (result: EVMResult) => tracer.exit?.(result);
  evm.events.on('step', step);
  evm.events.on('beforeMessage', enter);
  evm.events.on('afterMessage', exit);
  try {
    return await work();
  } finally {
    evm.events.off('step', step);
    evm.events.off('beforeMessage', enter);
    evm.events.off('afterMessage', exit);
  }
};
