/** Lists of named values, which headers and forms are. */
import { apply, define, defineProperty, type List, list } from "./host.ts";

export interface Named<Value> {
  readonly name: string;
  readonly value: Value;
}

/** The list with `item` where the first of its name was, or at the end, and no other of that name; null: with none of it. */
export function replaceNamed<Item extends Named<unknown>>(
  items: List<Item>,
  name: string,
  item: Item | null,
): List<Item> {
  const left = list<Item>();
  let placed = item === null;
  for (let i = 0; i < items.length; i++) {
    const other = items[i] as Item;
    if (other.name !== name) left[left.length] = other;
    else if (!placed) {
      placed = true;
      left[left.length] = item as Item;
    }
  }
  if (!placed) left[left.length] = item as Item;
  return left;
}

/** An array for the UDF. */
export function toArray<T>(items: List<T>): T[] {
  const array: T[] = [];
  for (let i = 0; i < items.length; i++) define(array, i, items[i], true);
  return array;
}

/** Adds methods and getters to a class as its own would be: not enumerable. */
export function addMethods(prototype: object, methods: object): void {
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(methods)))
    defineProperty(prototype, name, { ...property, enumerable: false });
}

/** Adds `entries`, `keys`, `values`, `forEach` and iteration. @param at what is at an index; it checks what it is called on */
export function addIteration(
  prototype: object,
  at: (self: never, index: number) => Named<unknown> | undefined,
): void {
  function* each(self: never, pick: (item: Named<unknown>) => unknown) {
    let item: Named<unknown> | undefined;
    for (let i = 0; (item = at(self, i)); i++) yield pick(item);
  }
  const iterator = (self: unknown, pick: (item: Named<unknown>) => unknown) => {
    at(self as never, 0);
    return each(self as never, pick);
  };
  const methods = {
    entries() {
      return iterator(this, ({ name, value }) => [name, value]);
    },
    keys() {
      return iterator(this, ({ name }) => name);
    },
    values() {
      return iterator(this, ({ value }) => value);
    },
    forEach(callback: () => unknown, self: unknown = undefined) {
      let item: Named<unknown> | undefined;
      for (let i = 0; (item = at(this as never, i)); i++)
        apply(callback, self, [item.value, item.name, this] as never);
    },
  };
  addMethods(prototype, methods);
  define(prototype, Symbol.iterator, methods.entries);
}
