/** Do the values fall from the first to the last, and not stay the same all the way? */
export function ordered(values: readonly (number | string)[]): boolean {
  const [first] = values;
  const last = values[values.length - 1];
  return first !== undefined && last !== undefined && first > last && values.every((value, i) => i === 0 || value <= (values[i - 1] ?? value));
}
