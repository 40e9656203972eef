/** Lists of the control API, which come in pages. */

import type { Control } from "./control.js";

interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

const PAGE = 200;
/** The journal of a world is bounded; a list that is longer than this has a cursor that does not move. */
const PAGES_MAX = 1_000;

/** All items of the list at *path*. */
export async function everyItem<T>(
  control: Control,
  path: string,
  world: string,
  query: Record<string, unknown> = {},
): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer = await control.call<Page<T>>("get", path, {
      path: { world },
      query: { limit: PAGE, ...query, cursor },
    });
    items.push(...answer.items);
    if (answer.next_cursor === null) return items;
    cursor = answer.next_cursor;
  }
  throw new Error(`${path} has more than ${PAGES_MAX} pages`);
}
