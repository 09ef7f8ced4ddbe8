/** Where things stand in charts, and how numbers that only charts know are written. */
import type { Num } from "./protocol";

export interface Scale {
  (x: number): number;
  back(y: number): number;
  ticks: number[];
}

/** From [low, high] to [start, end], with round numbers in between. */
export function linear(low: number, high: number, start: number, end: number, count = 5): Scale {
  const width = high - low || 1;
  const scale = (x: number) => start + ((x - low) / width) * (end - start);
  return Object.assign(scale, {
    back: (y: number) => low + ((y - start) / (end - start)) * width,
    ticks: roundNumbers(low, high, count),
  });
}

/** The same by powers of ten; both ends are positive. */
export function logarithmic(low: number, high: number, start: number, end: number): Scale {
  const inner = linear(Math.log10(low), Math.log10(high), start, end);
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const stride = Math.max(1, Math.ceil((last - first + 1) / 5));
  const decades: number[] = [];
  for (let i = first; i <= last; i += stride) decades.push(10 ** i);
  return Object.assign((x: number) => inner(Math.log10(x)), {
    back: (y: number) => 10 ** inner.back(y),
    ticks: decades.length > 1 ? decades : roundNumbers(low, high, 4),
  });
}

function roundNumbers(low: number, high: number, count: number): number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const stride = power * ([1, 2, 5, 10].find((m) => m * power >= 0.75 * rough) ?? 10);
  const found: number[] = [];
  for (let i = Math.ceil(low / stride - 1e-9); i * stride <= high + stride * 1e-9; i++) found.push(i * stride);
  return found;
}

/** A number in few digits, with a real minus. */
export function written(x: number, digits = 4): string {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "NaN" : x > 0 ? "∞" : "−∞";
  const text = Number(x.toPrecision(digits));
  const size = Math.abs(text);
  const plain = size !== 0 && (size < 1e-4 || size >= 1e6) ? text.toExponential() : String(text);
  return plain.replace("e+", "e").replaceAll("-", "−");
}

/** The number that JSON holds, also where it is not finite. */
export function finite(x: Num | null | undefined): number {
  return typeof x === "number" ? x : Number(x ?? NaN);
}

export function limits(numbers: Iterable<number>): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const x of numbers) {
    if (x < low && Number.isFinite(x)) low = x;
    if (x > high && Number.isFinite(x)) high = x;
  }
  return low <= high ? [low, high] : [0, 1];
}

export function clamped(x: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, x));
}

export function polyline(points: Iterable<readonly [number, number]>): string {
  let path = "";
  let open = false;
  for (const [x, y] of points) {
    const there = Number.isFinite(x) && Number.isFinite(y);
    if (there) path += `${open ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    open = there;
  }
  return path;
}
