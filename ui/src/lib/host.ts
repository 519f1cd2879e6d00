/** Returns the host of an address. A command line is returned unchanged. */
export function hostOf(address: string): string {
  return (URL.canParse(address) && new URL(address).host) || address;
}
