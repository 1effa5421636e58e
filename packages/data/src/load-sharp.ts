/** Loaded on use: whatever decodes no image works on machines that sharp has no binary for. */
export async function loadSharp(): Promise<typeof import('sharp').default> {
  try {
    return (await import('sharp')).default;
  } catch (cause) {
    const [reason] = (cause as Error).message.split('\n') as [string];
    throw new Error(
      `Images cannot be decoded, because sharp does not load on ${process.platform}-${process.arch}: ${reason}. Install it with its binary for this machine: npm install --include=optional sharp`,
      { cause },
    );
  }
}
