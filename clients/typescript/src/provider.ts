/** One provider in a world: where it is, and the first account. */

import type { Control, Schemas } from "./control/control.js";
import { everyItem } from "./control/pages.js";
import type { Timeline } from "./bridge/timeline.js";

/** The totals of an account, and its entries, oldest first. */
export interface Ledger {
  available: number;
  held: number;
  spent: number;
  granted: number;
  entries: Schemas["Entry"][];
}

export class Provider {
  constructor(
    readonly id: string,
    private readonly control: Control,
    private readonly world: string,
    private readonly timeline: Timeline,
    private shown: Schemas["World"]["providers"][string],
  ) {}

  /** Where the provider is: give this to your client. */
  get baseUrl(): string {
    return this.shown.base_url;
  }

  /** The key of the first account: give this to your client. */
  get apiKey(): string {
    return this.shown.account.api_key ?? "";
  }

  /** A session token, of a provider that has them. */
  get bearer(): string | undefined {
    return this.shown.account.bearer ?? undefined;
  }

  /** The id of the first account. */
  get account(): string {
    return this.shown.account.id;
  }

  /** The credits of the first account, with every entry. */
  async ledger(): Promise<Ledger> {
    const path = { world: this.world, account: this.account };
    const query = { limit: 200 };
    return this.timeline.during(async () => {
      const first = await this.control.get("/worlds/{world}/accounts/{account}/ledger", { path, query });
      const { next_cursor: cursor, ...ledger } = first;
      for (let next = cursor; next !== null; ) {
        const page = await this.control.get("/worlds/{world}/accounts/{account}/ledger", {
          path,
          query: { ...query, cursor: next },
        });
        ledger.entries.push(...page.entries);
        next = page.next_cursor;
      }
      return ledger;
    });
  }

  /** Set the credits that the first account can spend. */
  async setCredits(credits: number): Promise<void> {
    const path = { world: this.world, account: this.account };
    await this.timeline.during(() =>
      this.control.patch("/worlds/{world}/accounts/{account}", { path, body: { credits } }),
    );
  }

  /** The jobs of this provider, newest first. */
  jobs(): Promise<Schemas["Job"][]> {
    return this.timeline.during(() =>
      everyItem<Schemas["Job"]>(this.control, "/worlds/{world}/jobs", this.world, { provider: this.id }),
    );
  }

  /** Change how a job ends, end it now, or hold it: `{ outcome: "failed", reason: "…" }`, `{ held: true }`. */
  changeJob(job: string, change: JobChange): Promise<Schemas["Job"]> {
    const path = { world: this.world, job };
    return this.timeline.during(() => this.control.patch("/worlds/{world}/jobs/{job}", { path, body: change }));
  }

  /** @internal What a restored snapshot changed. */
  renew(shown: Schemas["World"]["providers"][string]): void {
    this.shown = shown;
  }
}

export interface JobChange {
  outcome?: "completed" | "failed";
  reason?: string;
  held?: boolean;
  now?: boolean;
}
