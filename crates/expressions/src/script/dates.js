// Dates that know the step's time and no zone of the machine. Gives what makes dates of variables' moments.
(function (now) {
  "use strict";
  const RealDate = Date;
  const FixedDate = function (...parts) {
    if (!new.target) return new RealDate(now).toUTCString();
    if (parts.length === 0) return Reflect.construct(RealDate, [now], new.target);
    if (parts.length === 1) return Reflect.construct(RealDate, parts, new.target);
    return Reflect.construct(RealDate, [RealDate.UTC(...parts)], new.target);
  };
  FixedDate.prototype = RealDate.prototype;
  FixedDate.now = () => now;
  FixedDate.UTC = RealDate.UTC;
  FixedDate.parse = RealDate.parse;
  RealDate.prototype.constructor = FixedDate;
  for (const part of ["FullYear", "Month", "Date", "Hours", "Minutes", "Seconds", "Milliseconds", "Day"]) {
    RealDate.prototype["get" + part] = RealDate.prototype["getUTC" + part];
    if (part !== "Day") RealDate.prototype["set" + part] = RealDate.prototype["setUTC" + part];
  }
  RealDate.prototype.getTimezoneOffset = () => 0;
  RealDate.prototype.toString = RealDate.prototype.toUTCString;
  globalThis.Date = FixedDate;

  return function alive(value) {
    if (Array.isArray(value)) return value.map(alive);
    if (value === null || typeof value !== "object") return value;
    if (typeof value.$date === "number") return new RealDate(value.$date);
    const copy = {};
    for (const key of Object.keys(value)) copy[key] = alive(value[key]);
    return copy;
  };
});
