import { createParser } from "eventsource-parser";
import { HttpError, json, sleep } from "./http.js";

interface Options {
  baseUrl: string;
  apiKey: string;
  pollMs?: number;
  timeoutMs?: number;
}

interface Started {
  videoId: string;
  jobId: string;
}

/** A client of Ozor, as an application has it: it polls every five seconds, for ten minutes at most. */
export class Ozor {
  constructor(private readonly options: Options) {}

  private call<T>(method: string, path: string, body?: object): Promise<T> {
    const isForm = body instanceof FormData;
    const type: Record<string, string> = body && !isForm ? { "Content-Type": "application/json" } : {};
    return json<T>(this.options.baseUrl + path, {
      method,
      headers: { "X-API-Key": this.options.apiKey, ...type },
      ...(body ? { body: isForm ? body : JSON.stringify(body) } : {}),
    });
  }

  generate(prompt: string): Promise<Started> {
    return this.call("POST", "/api/v1/videos/generate", { prompt });
  }

  /** The number of polls until the job is done. */
  async waitForJob({ videoId, jobId }: Started): Promise<number> {
    const deadline = Date.now() + (this.options.timeoutMs ?? 600_000);
    for (let polls = 1; ; polls += 1) {
      const job = await this.call<{ status: string }>("GET", `/api/v1/videos/${videoId}/jobs/${jobId}`);
      if (job.status === "completed") return polls;
      if (job.status === "failed") throw new Error(`job failed: ${JSON.stringify(job)}`);
      if (Date.now() > deadline) throw new Error("the job took too long");
      await sleep(this.options.pollMs ?? 5_000);
    }
  }

  async exportAndDownload(videoId: string): Promise<Buffer> {
    await this.call("POST", `/api/v1/videos/${videoId}/export`, { quality: "720p" });
    for (;;) {
      const video = await this.call<{ exportStatus: string; downloadUrl?: string }>("GET", `/api/v1/videos/${videoId}`);
      if (video.exportStatus === "failed") throw new Error("export failed");
      if (video.exportStatus === "complete") {
        return Buffer.from(await (await fetch(video.downloadUrl!)).arrayBuffer());
      }
      await sleep(this.options.pollMs ?? 5_000);
    }
  }

  async analyze(url: string): Promise<string> {
    const form = new FormData();
    form.set("url", url);
    form.set("target_duration_sec", "30");
    const { plan } = await this.call<{ plan: { planId: string } }>("POST", "/api/v1/documents/analyze", form);
    return plan.planId;
  }

  /** The events of the stream that generates a planned video. */
  async generatePlan(planId: string): Promise<{ step: string; pct: number }[]> {
    const response = await fetch(`${this.options.baseUrl}/api/v1/documents/plans/${planId}/generate`, {
      method: "POST",
      headers: { "X-API-Key": this.options.apiKey, Accept: "text/event-stream" },
    });
    if (!response.ok) throw new HttpError(response.status, await response.text());
    const events: { step: string; pct: number }[] = [];
    const parser = createParser({ onEvent: (event) => void events.push(JSON.parse(event.data)) });
    const decoder = new TextDecoder();
    for await (const chunk of response.body!) parser.feed(decoder.decode(chunk, { stream: true }));
    return events;
  }
}
