// What work.py does.
export default ({ n = 300 }: { n?: number }) => {
  const found: Record<number, number> = {};
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const key = (i * j) % 97;
      found[key] = (found[key] ?? 0) + 1;
    }
  return { n, most: Math.max(...Object.values(found)) };
};
