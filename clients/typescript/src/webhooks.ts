/** Receivers of webhooks in the test's own process. */

import http from "node:http";
import type { Control, Schemas } from "./control/control.js";
import { portOf } from "./control/http.js";
import { everyItem } from "./control/pages.js";
import { onMachineTime } from "./bridge/shared.js";
import type { Timeline } from "./bridge/timeline.js";

/** An express application, or any `(request, response) => void` of node:http. */
export type NodeHandler = (request: http.IncomingMessage, response: http.ServerResponse) => unknown;
/** A handler of the web platform, such as a route of Next.js or `app.fetch` of Hono. */
export type FetchHandler = (request: Request) => Response | Promise<Response>;

export interface ListenOptions {
  /** Only events of these types. Default: all. */
  events?: string[];
  account?: string;
  /** The path below which the handler expects requests. Default: `/`. */
  path?: string;
}

/** A registered receiver. */
export class Hook {
  /** The status of every answer of the handler, oldest first. */
  readonly statuses: number[] = [];

  constructor(
    private readonly webhooks: Webhooks,
    private readonly server: http.Server | undefined,
    private endpoint: Schemas["Endpoint"],
  ) {}

  get id(): string {
    return this.endpoint.id;
  }

  get url(): string {
    return this.endpoint.url;
  }

  /** The secret by which deliveries are signed. */
  get secret(): string {
    return this.endpoint.secret ?? "";
  }

  /** What was sent here, with every attempt: headers, status, findings. */
  async deliveries(): Promise<Schemas["Delivery"][]> {
    const all = await this.webhooks.deliveries();
    return all.filter((it) => it.endpoint === this.id);
  }

  /** Replace the secret. */
  async rotate(): Promise<string> {
    this.endpoint = await this.webhooks.rotate(this.id);
    return this.secret;
  }

  async close(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => (this.server ? this.server.close(resolve) : resolve(undefined)));
  }
}

export class Webhooks {
  private readonly hooks: Hook[] = [];

  constructor(
    private readonly control: Control,
    private readonly world: string,
    private readonly timeline: Timeline,
  ) {}

  /**
   * Start *handler* on a free port, and register it with *provider*.
   *
   * The handler runs on the machine's time, by which deliveries are signed.
   */
  async listen(provider: string, handler: NodeHandler | FetchHandler, options: ListenOptions = {}): Promise<Hook> {
    const statuses: number[] = [];
    const answer = asNodeHandler(handler);
    const server = http.createServer((request, response) => {
      response.once("finish", () => statuses.push(response.statusCode));
      onMachineTime(() => answer(request, response));
    });
    await onMachineTime(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
    server.unref();
    const { path = "/", ...rest } = options;
    const url = `http://127.0.0.1:${portOf(server)}${path}`;
    return this.register(provider, url, rest, server, statuses);
  }

  /** Register a receiver that runs already, on this machine. */
  deliverTo(provider: string, url: string, options: Omit<ListenOptions, "path"> = {}): Promise<Hook> {
    return this.register(provider, url, options, undefined, []);
  }

  private async register(
    provider: string,
    url: string,
    options: Omit<ListenOptions, "path">,
    server: http.Server | undefined,
    statuses: number[],
  ): Promise<Hook> {
    try {
      const endpoint = await this.timeline.during(() =>
        this.control.post("/worlds/{world}/webhooks/endpoints", {
          path: { world: this.world },
          body: { provider, url, ...options },
        }),
      );
      const hook = new Hook(this, server, endpoint);
      Object.defineProperty(hook, "statuses", { value: statuses });
      this.hooks.push(hook);
      return hook;
    } catch (error) {
      server?.close();
      throw error;
    }
  }

  /** All deliveries of the world, oldest first. */
  deliveries(): Promise<Schemas["Delivery"][]> {
    return this.timeline.during(() =>
      everyItem<Schemas["Delivery"]>(this.control, "/worlds/{world}/webhooks/deliveries", this.world),
    );
  }

  /** @internal */
  rotate(endpoint: string): Promise<Schemas["Endpoint"]> {
    const path = { world: this.world, endpoint };
    return this.timeline.during(() =>
      this.control.post("/worlds/{world}/webhooks/endpoints/{endpoint}/rotate", { path }),
    );
  }

  /** Stop all receivers. */
  async close(): Promise<void> {
    await Promise.all(this.hooks.splice(0).map((hook) => hook.close()));
  }
}

/** A function with two parameters or more is one of node:http, as express applications are. */
function asNodeHandler(handler: NodeHandler | FetchHandler): NodeHandler {
  if (handler.length >= 2) return handler as NodeHandler;
  return async (incoming, outgoing) => {
    try {
      const answer = await (handler as FetchHandler)(await asRequest(incoming));
      outgoing.writeHead(answer.status, Object.fromEntries(answer.headers));
      outgoing.end(Buffer.from(await answer.arrayBuffer()));
    } catch (error) {
      console.error(error);
      outgoing.writeHead(500).end();
    }
  };
}

async function asRequest(incoming: http.IncomingMessage): Promise<Request> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    for (const it of [value ?? []].flat()) headers.append(name, it);
  }
  const method = incoming.method ?? "GET";
  const body = method === "GET" || method === "HEAD" ? null : Buffer.concat(chunks);
  return new Request(`http://${incoming.headers.host}${incoming.url}`, { method, headers, body });
}
