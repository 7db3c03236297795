import type { CallPlan } from "../../runtime/engines/quickjs/plan.ts";
export function coerceParameters(plan: CallPlan, parameters: Record<string, unknown>): unknown[] {
  return plan.style === "object" ? [parameters] : plan.parameters.map((p) => parameters[p.name]);
}
