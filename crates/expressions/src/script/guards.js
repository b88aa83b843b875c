// The engine looks at the clock where a script turns round or calls, not inside most of its built-in functions. A script that is
// in one of them when its time is up is not waited for (thread.rs), but its thread is lost until the function ends: so those
// that could go on for hours get a size that is bounded, and pay for it with turns of a loop.
(function () {
  "use strict";
  const MOST = 2 ** 20;
  const { apply, getPrototypeOf, getOwnPropertyDescriptor, defineProperty } = Reflect;
  const { isArray } = Array;
  const spend = (steps) => {
    for (let left = steps; left > 0; left -= 16);
  };
  const charge = (length) => {
    if (!(length <= MOST)) throw new RangeError(`it is too long: an array of ${length} places, the most are ${MOST}`);
    spend(length);
  };
  const replace = (object, name, make) => {
    const native = object[name];
    if (typeof native === "function") {
      defineProperty(object, name, { value: make(native, name), writable: true, configurable: true });
    }
  };
  const all = (object, names, make) => names.forEach((name) => replace(object, name, make));

  // There are no proxies here: the length of an array, and any property of its own that is no accessor, is what it is.
  const walk = (list, name) => {
    const whole = typeof list === "string" || isArray(list);
    const length = whole ? list.length : getOwnPropertyDescriptor(Object(list), "length")?.value;
    if (typeof length !== "number") throw new TypeError(`${name} needs an array, or an object with a length`);
    charge(length);
  };
  const walked = (native, name) => ({
    [name](...given) {
      if (this !== null && this !== undefined) walk(this, name);
      return apply(native, this, given);
    },
  })[name];
  const list = Array.prototype;
  all(list, ["copyWithin", "fill", "join", "reverse", "shift", "slice", "sort", "splice", "toLocaleString",
    "toReversed", "toSorted", "toSpliced", "unshift", "with"], walked);

  const put = (to, at, value) => defineProperty(to, at, { value, writable: true, enumerable: true, configurable: true });
  const flatten = (from, depth, to) => {
    for (let at = 0, length = from.length; at < length; at++) {
      if (!(at in from)) continue;
      const value = from[at];
      if (depth >= 1 && isArray(value)) flatten(value, depth - 1, to);
      else put(to, to.length, value);
    }
    return to;
  };
  const { isConcatSpreadable } = Symbol;
  replace(list, "concat", (native) => function concat(...given) {
    for (let next = -1; next < given.length; next++) {
      const part = next < 0 ? this : given[next];
      if (isArray(part)) charge(part.length);
      if (part !== null && typeof part === "object" && isConcatSpreadable in part) {
        throw new TypeError("concat spreads arrays only");
      }
    }
    return apply(native, this, given);
  });
  const { map } = list;
  replace(list, "flat", () => function flat(depth = 1) { return flatten(Object(this), +depth, []); });
  replace(list, "flatMap", () => function flatMap(make, self) { return flatten(apply(map, this, [make, self]), 1, []); });
  // What walks by an iterator calls this one, and so is interrupted.
  replace(getPrototypeOf([].values()), "next", (native) => function next() { return apply(native, this, []); });

  const text = String.prototype;
  const { indexOf } = text;
  const subject = (value, name) => {
    if (value === null || value === undefined) throw new TypeError(`${name} needs a text`);
    return `${value}`;
  };
  const read = (native, name) => ({
    [name](...given) {
      const whole = subject(this, name);
      spend(whole.length);
      return apply(native, whole, given);
    },
  })[name];
  all(text, ["isWellFormed", "localeCompare", "normalize", "padEnd", "padStart", "repeat", "toLocaleLowerCase",
    "toLocaleUpperCase", "toLowerCase", "toUpperCase", "toWellFormed", "trim", "trimEnd", "trimStart"], read);
  // Copied again and again it would go on when there is no memory left; a function is called, and so is interrupted.
  const called = (by) => {
    if (typeof by === "function") return by;
    const text = `${by}`;
    return apply(indexOf, text, ["$"]) < 0 ? () => text : text;
  };
  const search = (symbol) => (native, name) => ({
    [name](what, ...given) {
      if (what !== null && typeof what === "object" && this !== null && this !== undefined) {
        const method = what[symbol];
        if (method !== null && method !== undefined) {
          if (symbol === Symbol.match) throw new TypeError(`${name} does not take a regular expression`);
          if (name === "replaceAll" && what instanceof RegExp && !what.global) {
            throw new TypeError("replaceAll needs a regular expression with the flag g");
          }
          return apply(method, what, [this, ...given]);
        }
      }
      const whole = subject(this, name);
      const part = name === "split" && what === undefined ? what : `${what}`;
      spend(whole.length + (whole.length * (part === undefined ? 0 : part.length)) / 1024);
      if (symbol === Symbol.replace) given[0] = called(given[0]);
      return apply(native, whole, [part, ...given]);
    },
  })[name];
  all(text, ["includes"], search(Symbol.match));
  all(text, ["indexOf", "lastIndexOf"], search(Symbol()));
  all(text, ["replace", "replaceAll"], search(Symbol.replace));
  all(text, ["split"], search(Symbol.split));

  replace(String, "raw", (native) => function raw(parts, ...given) {
    const { raw } = parts;
    walk(raw, "raw");
    return native({ raw }, ...given);
  });

  replace(JSON, "parse", (native) => function parse(given, ...more) {
    const whole = `${given}`;
    spend(whole.length);
    return native(whole, ...more);
  });
  replace(JSON, "stringify", (native) => function stringify(value, chosen, indent) {
    if (isArray(chosen)) charge(chosen.length);
    const written = native(value, chosen, indent);
    if (written !== undefined) spend(written.length);
    return written;
  });
  all(globalThis, ["decodeURI", "decodeURIComponent", "encodeURI", "encodeURIComponent", "escape", "unescape"],
    (native, name) => ({
      [name](given) {
        const whole = `${given}`;
        spend(whole.length);
        return native(whole);
      },
    })[name]);

  if (typeof Uint8Array !== "function") return;
  const typed = getPrototypeOf(Uint8Array.prototype);
  const { get: length } = getOwnPropertyDescriptor(typed, "length");
  const short = (native, name) => ({
    [name](...given) {
      spend(apply(length, this, []));
      return apply(native, this, given);
    },
  })[name];
  all(typed, ["copyWithin", "fill", "includes", "indexOf", "join", "lastIndexOf", "reverse", "set", "slice", "sort",
    "toLocaleString", "toReversed", "toSorted", "with"], short);
});
