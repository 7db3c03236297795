/** Measuring: contenders take turns, each round gives a ratio, and what is reported is the median with its spread. */
import { spawn } from "node:child_process";

/** @param {readonly number[]} numbers */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Milliseconds that `work` takes. */
export async function time(work) {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Lets contenders take turns, so that a busy moment of the machine meets all of them; who begins changes each round.
 * @param {Record<string, () => Promise<number> | number>} contenders each gives one measurement
 * @param {{ rounds: number, warmUps?: number }} options rounds that count, and rounds before them that do not
 * @returns {Promise<Record<string, number[]>>} measurements by contender, one a round
 */
export async function interleave(contenders, { rounds, warmUps = 1 }) {
  const names = Object.keys(contenders);
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = -warmUps; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + round + warmUps) % names.length];
      const value = await contenders[name]();
      if (round >= 0) samples[name].push(value);
    }
  }
  return samples;
}

/**
 * Runs a program to its end and gives the milliseconds that its process took.
 * @throws Error with its output when it fails, or does not print what it must
 */
export function timeProcess(program, args, { env = {}, expect } = {}) {
  const started = performance.now();
  return runProcess(program, args, { env, expect }).then(() => performance.now() - started);
}

/** Runs a program to its end and gives what it printed. @throws Error with its output when it fails */
export function runProcess(program, args, { env = {}, expect } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (status) => {
      if (status === 0 && (expect === undefined || stdout.includes(expect))) resolve(stdout);
      else reject(new Error(`${program} ${args.join(" ")} ended with ${status}:\n${stdout}\n${stderr}`));
    });
  });
}

/**
 * What a figure has to be. `of` makes the compared number of one round out of our time and the peer's.
 * @typedef {{ text: string, unit: string, of(ours: number, peer: number): number, isMet(value: number): boolean }} Target
 */

/** The peer takes `factor` times as long as we do, or longer. @returns {Target} */
export const fasterBy = (factor) => ({
  text: `at least ${factor}x faster`,
  unit: "x faster",
  of: (ours, peer) => peer / ours,
  isMet: (value) => value >= factor,
});

/** We take `factor` times as long as the peer, or less. @returns {Target} */
export const atMost = (factor) => ({
  text: `at most ${factor}x`,
  unit: "x as long",
  of: (ours, peer) => ours / peer,
  isMet: (value) => value <= factor,
});

/** We take `ms` longer than the peer, or less. @returns {Target} */
export const atMostMore = (ms) => ({
  text: `at most ${ms} ms more`,
  unit: "ms more",
  of: (ours, peer) => ours - peer,
  isMet: (value) => value <= ms,
});

/** It takes less than `ms`; there is no peer. @returns {Target} */
export const under = (ms) => ({
  text: `under ${ms} ms`,
  unit: "ms",
  of: (ours) => ours,
  isMet: (value) => value < ms,
});

/** For the reader's orientation, without a target. @returns {Target} */
export const forScale = {
  text: "(for scale)",
  unit: "x as long",
  of: (ours, peer) => ours / peer,
  isMet: () => true,
};

/**
 * A line of the report.
 * @param {{ id: string, title: string, peer?: string, target: Target, stretch?: Target, note?: string }} what
 * @param {readonly number[]} ours milliseconds, one a round
 * @param {readonly number[]} [peers] the same of the peer
 */
export function figure({ id, title, peer, target, stretch, note }, ours, peers) {
  const values = ours.map((value, round) => target.of(value, peers?.[round] ?? Number.NaN));
  const value = { median: median(values), min: Math.min(...values), max: Math.max(...values) };
  return {
    id,
    title,
    oursMs: median(ours),
    peer: peer ?? null,
    peerMs: peers ? median(peers) : null,
    unit: target.unit,
    value,
    rounds: ours.length,
    target: target.text,
    met: target === forScale ? null : target.isMet(value.median),
    stretch: stretch ? { target: stretch.text, met: stretch.isMet(value.median) } : null,
    note: note ?? null,
  };
}
