// An addon that was built before the package changed may lack a function, or take other arguments.
import type { Binding } from './binding.ts';

const WHAT_HELPS =
  'The native part of @secateur/tfjs-backend-torch was built from older sources than this package has, which may be why. Build it again: npx tfjs-backend-torch build';

/** The same functions; where one fails or is missing, the Error says that the addon is older than the package, and what helps. */
export function explainingItsAge(binding: Binding): Binding {
  return new Proxy(binding, {
    get(addon, name) {
      const member: unknown = Reflect.get(addon, name);
      // Whoever awaits the binding asks for this one.
      if (typeof name === 'symbol' || name === 'then') return member;
      return (...args: unknown[]) => {
        if (typeof member !== 'function') throw new Error(`torch has no function ${name}. ${WHAT_HELPS}`);
        try {
          return member(...args);
        } catch (cause) {
          throw new Error(`${cause instanceof Error ? cause.message : String(cause)}\n${WHAT_HELPS}`, { cause });
        }
      };
    },
  });
}
