import { createSubscriber } from "svelte/reactivity";

/** The current time. It ticks once a second while a component reads it. */
class Clock {
  #subscribe = createSubscriber((tick) => {
    const timer = setInterval(tick, 1000);
    return () => clearInterval(timer);
  });

  get now(): number {
    this.#subscribe();
    return Date.now();
  }
}

export const clock = new Clock();
