/**
 * Weights without a seed, dropout and the like draw from Math.random: each test file gets the same numbers every time, so that
 * a test never fails for a draw that nobody can repeat. Mulberry32.
 */
let state = 1;
Math.random = () => {
  state = (state + 0x6d2b79f5) | 0;
  let bits = Math.imul(state ^ (state >>> 15), state | 1);
  bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
  return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
};
