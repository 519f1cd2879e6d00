/** Returns the host of an address. A command line is returned unchanged. */
export function hostOf(address: string): string {
  try {
    return new URL(address).host || address;
  } catch {
    return address;
  }
}
