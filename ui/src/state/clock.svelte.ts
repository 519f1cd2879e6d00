import { createSubscriber } from "svelte/reactivity";

/** The time, for those who show it. It ticks each second, and only while somebody looks. */
class Clock {
  #looked = createSubscriber((tick) => {
    const timer = setInterval(tick, 1000);
    return () => clearInterval(timer);
  });

  get now(): number {
    this.#looked();
    return Date.now();
  }
}

export const clock = new Clock();
