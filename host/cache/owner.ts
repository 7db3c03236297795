/** Who holds a lock, and how others see that it has died. */

export interface Owner {
  /** What is written into a lock. */
  id(): Promise<string>;
  /** Whether who wrote that lives. Undefined where it cannot be known from here. */
  isAlive(id: string): Promise<boolean | undefined>;
  /** What others ask of this one afterwards is answered with false, or not at all. */
  close(): void;
}
