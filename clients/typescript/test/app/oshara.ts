import { json } from "./http.js";

interface Job {
  id: number;
  status: string;
  [field: string]: unknown;
}

/** A client of Oshara: multipart jobs. */
export class Oshara {
  constructor(private readonly options: { baseUrl: string; token: string }) {}

  create(title: string, text: string, avatar: Blob): Promise<Job> {
    const form = new FormData();
    form.set("title", title);
    form.set("text_content", text);
    form.set("avatar", avatar, "me.png");
    form.set("processing_params", JSON.stringify({ fps: 25 }));
    return json(`${this.options.baseUrl}/api/video-jobs/`, { method: "POST", headers: this.headers, body: form });
  }

  get(id: number): Promise<Job> {
    return json(`${this.options.baseUrl}/api/video-jobs/${id}/`, { headers: this.headers });
  }

  private get headers(): Record<string, string> {
    return { Authorization: `Bearer ${this.options.token}` };
  }
}
