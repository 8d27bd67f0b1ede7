import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Body = Record<string, unknown>;
type Call = { path: string; body: Body };

const read = async (request: IncomingMessage): Promise<Body> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString('utf8')) as Body);
};

/** Speaks the routes of a vLLM server: one base, adapters loaded at run time, one token of output for each word. */
export class VllmServer {
  readonly calls: Call[] = [];
  readonly adapters = new Set<string>();
  /** Answers the next completion in place of an answer. */
  fail: { status: number; body: string; headers?: Record<string, string> } | undefined;
  /** After the first event the stream breaks off, or nothing more comes. */
  after: 'rest' | 'break' | 'silence' = 'rest';
  /** Called when a client has gone away. */
  onGone: () => void = () => {};
  url = '';
  readonly #root: string;
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  constructor(root: string) {
    this.#root = root;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  asked(path: string): Body[] {
    return this.calls.filter((call) => call.path === path).map(({ body }) => body);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    const body = await read(request);
    this.calls.push({ path, body });
    const json = (status: number, value: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    const name = String(body.lora_name);
    switch (path) {
      case '/v1/models':
        return void json(200, { object: 'list', data: [{ id: 'served-base', root: this.#root, parent: null }] });
      case '/v1/load_lora_adapter':
        if (this.adapters.has(name)) {
          const message = `The lora adapter '${name}' has already been loaded. If you want to load the adapter in place, set 'load_inplace' to True.`;
          return void json(400, { error: { message, type: 'InvalidUserInput', param: null, code: 400 } });
        }
        this.adapters.add(name);
        return void response.end(`Success: LoRA adapter '${name}' added successfully.`);
      case '/v1/unload_lora_adapter':
        if (this.adapters.delete(name))
          return void response.end(`Success: LoRA adapter '${name}' removed successfully.`);
        return void json(404, { error: { message: `The lora adapter '${name}' cannot be found.`, code: 404 } });
      case '/tokenize':
        return void json(200, { tokens: [1, 2, 3], count: 3, max_model_len: 512 });
      case '/detokenize':
        return void json(200, { prompt: '<user>Say hello<assistant>' });
      default:
        return this.#complete(body, response);
    }
  }

  #complete(body: Body, response: ServerResponse): void {
    response.on('close', () => this.onGone());
    if (this.fail) {
      const { status, body: text, headers } = this.fail;
      response.writeHead(status, headers).end(text);
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const event = (value: unknown) => response.write(`data: ${JSON.stringify(value)}\n\n`);
    const chunk = (text: string, id: number, finish: string | null) => ({
      choices: [
        {
          ...{ index: 0, text, finish_reason: finish, token_ids: [id] },
          logprobs:
            body.logprobs === undefined
              ? null
              : { tokens: [text], token_logprobs: [-0.5], top_logprobs: [{ [text]: -0.5, no: -1 }], text_offset: [0] },
        },
      ],
    });
    event(chunk('Hel', 7, null));
    if (this.after !== 'rest') {
      // Not in the same write as the event: the client is to see it.
      if (this.after === 'break') setTimeout(() => response.destroy(), 50);
      return;
    }
    event(chunk('lo', 8, 'length'));
    event({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } });
    response.end('data: [DONE]\n\n');
  }
}
