type Chunk = {
  readonly openledger?: unknown;
  readonly choices?: readonly { readonly delta?: { readonly content?: string }; readonly text?: string }[];
};

/**
 * Passes a stream of OpenAI chunks on unchanged and looks at it on the way: `onEnd` gets the receipt in the last chunk and
 * the whole text before the stream ends, so that a reader of a wrong answer gets an error instead of an end.
 */
export const watchStream = (
  response: Response,
  handlers: { onEnd(receipt: unknown, text: string): Promise<void>; onBreak(): void },
): Response => {
  const decoder = new TextDecoder();
  let rest = '';
  let text = '';
  let receipt: unknown;
  const read = (line: string) => {
    if (!line.startsWith('data: ') || line === 'data: [DONE]') return;
    const { openledger, choices } = JSON.parse(line.slice('data: '.length)) as Chunk;
    text += choices?.[0]?.delta?.content ?? choices?.[0]?.text ?? '';
    receipt ??= openledger;
  };
  const reader = response.body?.getReader();
  if (!reader) return response;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) {
          const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) read(line);
          return controller.enqueue(value);
        }
      } catch (error) {
        handlers.onBreak();
        return controller.error(error);
      }
      if (receipt === undefined) handlers.onBreak();
      else await handlers.onEnd(receipt, text);
      controller.close();
    },
    // A reader that goes away ends the call without a receipt.
    async cancel(reason) {
      handlers.onBreak();
      await reader.cancel(reason);
    },
  });
  return new Response(body, response);
};
