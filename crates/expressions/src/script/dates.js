// Dates that know the step's time and no zone of the machine. Gives what makes dates of variables' moments.
(function (now) {
  "use strict";
  const RealDate = Date;
  const { apply } = Reflect;
  const { exec } = RegExp.prototype;
  // What names no zone means the machine's, unless it is a date alone.
  const zoned = /^\s*[+-]?\d{4,6}(-\d\d(-\d\d)?)?\s*$|\d:\d\d.*(Z|[+-]\d\d:?\d\d|\b(UTC?|GMT|[ECMP][SD]T))\s*(\(.*\))?\s*$/i;
  const iso = /\dT\d/i;
  const parse = (value) => {
    const text = `${value}`;
    if (apply(exec, zoned, [text])) return RealDate.parse(text);
    return RealDate.parse(text + (apply(exec, iso, [text]) ? "Z" : " UTC"));
  };
  const FixedDate = function (...parts) {
    if (!new.target) return new RealDate(now).toUTCString();
    if (parts.length === 0) return Reflect.construct(RealDate, [now], new.target);
    if (parts.length === 1) {
      const part = typeof parts[0] === "string" ? parse(parts[0]) : parts[0];
      return Reflect.construct(RealDate, [part], new.target);
    }
    return Reflect.construct(RealDate, [RealDate.UTC(...parts)], new.target);
  };
  FixedDate.prototype = RealDate.prototype;
  FixedDate.now = () => now;
  FixedDate.UTC = RealDate.UTC;
  FixedDate.parse = parse;
  RealDate.prototype.constructor = FixedDate;
  for (const part of ["FullYear", "Month", "Date", "Hours", "Minutes", "Seconds", "Milliseconds", "Day"]) {
    RealDate.prototype["get" + part] = RealDate.prototype["getUTC" + part];
    if (part !== "Day") RealDate.prototype["set" + part] = RealDate.prototype["setUTC" + part];
  }
  RealDate.prototype.getTimezoneOffset = () => 0;
  const { getUTCFullYear, setUTCFullYear, toUTCString } = RealDate.prototype;
  const shown = (date, part) => part(apply(toUTCString, date, []));
  const day = (text) => (text.length < 26 ? text : `${text.slice(0, 3)} ${text.slice(8, 11)} ${text.slice(5, 7)} ${text.slice(12, -13)}`);
  const time = (text) => (text.length < 26 ? text : text.slice(-12));
  Object.assign(RealDate.prototype, {
    getYear() { return apply(getUTCFullYear, this, []) - 1900; },
    setYear(year) { return apply(setUTCFullYear, this, [year >= 0 && year <= 99 ? 1900 + Math.trunc(year) : year]); },
    toString: toUTCString,
    toLocaleString: toUTCString,
    toDateString() { return shown(this, day); },
    toLocaleDateString() { return shown(this, day); },
    toTimeString() { return shown(this, time); },
    toLocaleTimeString() { return shown(this, time); },
  });
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
