/** A set-up file that is loaded before the package, as an application's module could be. */

const taken = setTimeout;

export const realSleep = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    taken(resolve, ms).unref();
  });
