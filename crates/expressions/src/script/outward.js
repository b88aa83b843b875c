// A script's result and what it assigned, as JSON.
(function (result, assigned) {
  "use strict";
  const seen = [];
  const walk = (value) => {
    if (typeof Date === "function" && value instanceof Date) return { $date: value.getTime() };
    if (typeof value === "bigint") return Number(value);
    if (value instanceof Map) return walk(Object.fromEntries(value));
    if (value instanceof Set) return walk([...value]);
    if (value === null || typeof value !== "object") return value;
    if (seen.includes(value)) throw new Error("a value contains itself");
    seen.push(value);
    if (seen.length > 100) throw new Error("a value is nested too deeply");
    let copy;
    if (Array.isArray(value)) {
      copy = value.map(walk);
    } else {
      copy = {};
      for (const key of Object.keys(value)) copy[key] = walk(value[key]);
    }
    seen.pop();
    return copy;
  };
  return JSON.stringify({ result: walk(result), assigned: walk(assigned) });
});
