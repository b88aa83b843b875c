// A script's result and what it assigned, as JSON.
(function (result, assigned) {
  "use strict";
  const seen = [];
  // JSON would make null of these.
  const finite = (number, wrong) => {
    if (number - number !== 0) throw new Error(wrong || "the result is no finite number; is something divided by zero?");
    return number;
  };
  // JSON's numbers are those of JavaScript, ours are exact up to 64 bits.
  const whole = (value) => {
    const number = finite(Number(value));
    if (Number.isSafeInteger(number)) return number;
    if (BigInt.asIntN(64, value) === value) return { $integer: `${value}` };
    if (BigInt(number) !== value) throw new Error("the result has more digits than a number can hold; make it a text");
    return number;
  };
  const walk = (value) => {
    if (typeof Date === "function" && value instanceof Date) return { $date: finite(value.getTime(), "the result is an invalid date") };
    if (typeof value === "number") return finite(value);
    if (typeof value === "bigint") return whole(value);
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
