const OPERATORS = ["UNIQUE", "CLUSTER", "GROUP_BY", "LIKE", "UNLIKE", "MAX_PER", "IS"];

/** What is wrong with a placement constraint, in Marathon's words; undefined when nothing is. */
export function constraintViolation(constraint: readonly string[]): string | undefined {
  const [field, operator, value] = constraint;
  if (!field || !operator) return "Each constraint must have a field and an operator";
  if (constraint.length > 3) return "Each constraint must have two or three elements";
  switch (operator.toUpperCase()) {
    case "UNIQUE":
      return value === undefined ? undefined : "UNIQUE does not accept a value";
    case "CLUSTER":
      return undefined;
    case "GROUP_BY":
      return value === undefined || isInteger(value) ? undefined : "GROUP_BY requires an integer value";
    case "MAX_PER":
      return value !== undefined && isInteger(value) ? undefined : "MAX_PER requires an integer value";
    case "LIKE":
    case "UNLIKE":
      if (value === undefined) return `A regular expression value must be provided for ${operator}`;
      return pattern(value) ? undefined : `'${value}' is not a valid regular expression`;
    case "IS":
      return /^[a-zA-Z0-9_/.-]*$/.test(value ?? "") ? undefined : "IS requires a text value";
    default:
      return `'${operator}' is not a valid constraint operator. Use one of: ${OPERATORS.join(", ")}`;
  }
}

/**
 * Whether one more instance may run on the only agent, of whose attributes only `hostname` is known.
 * @param running how many instances of the app it already runs.
 */
export function constraintsAllow(
  constraints: readonly string[][],
  hostname: string,
  running: number,
): boolean {
  return constraints.every(([field, operator, value = ""]) => {
    const known = field === "hostname" || field === "@hostname" ? hostname : undefined;
    if (known === undefined) return operator === "UNLIKE" || operator === "GROUP_BY";
    switch (operator) {
      case "UNIQUE":
        return running === 0;
      case "MAX_PER":
        return running < Number(value);
      case "CLUSTER":
        return value === "" || value === known;
      case "IS":
        return value === known;
      case "LIKE":
        return pattern(value)?.test(known) ?? false;
      case "UNLIKE":
        return !pattern(value)?.test(known);
      default:
        return true;
    }
  });
}

function isInteger(value: string): boolean {
  return /^-?\d+$/.test(value);
}

/** Marathon's regular expressions match the whole value. */
function pattern(source: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${source})$`);
  } catch {
    return undefined;
  }
}
