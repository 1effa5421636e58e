// Preloaded into every process of a bench: where memory is looked at, some of it is gone for good each time.
const LEAK = 512 << 10;
const collect = globalThis.gc;
const kept = [];
if (collect) {
  globalThis.gc = () => {
    kept.push(new Uint8Array(LEAK).fill(1));
    collect();
  };
}
