import { expect, test } from "vitest";
import { InstanceContainer } from "./container.ts";
import { provide } from "./provider.ts";
import { token } from "./tokens.ts";

const NAME = token<string>("name");
const GREETING = token<{ readonly text: string }>("greeting");
const refusal = (message: string): unknown =>
  expect.objectContaining({ code: "HW_PLUGIN_INVALID", message: expect.stringContaining(message) });

const defaults = [provide(NAME, () => "world"), provide(GREETING, (parts) => ({ text: `hello ${parts.get(NAME)}` }))];

test("a part is made once, on its first use, from other parts", () => {
  let made = 0;
  const counted = provide(GREETING, () => {
    made++;
    return { text: "once" };
  });
  const container = new InstanceContainer([counted]);
  expect(made).toBe(0);
  expect(container.get(GREETING)).toBe(container.get(GREETING));
  expect(made).toBe(1);
});

test("the application's own part takes the place of the default, also for the parts that use it", () => {
  expect(new InstanceContainer(defaults, [provide(NAME, () => "you")]).get(GREETING).text).toBe("hello you");
});

test("two instances share nothing", () => {
  const [one, two] = [new InstanceContainer(defaults), new InstanceContainer(defaults, [provide(NAME, () => "two")])];
  expect(one.get(GREETING)).not.toBe(new InstanceContainer(defaults).get(GREETING));
  expect([one.get(GREETING).text, two.get(GREETING).text]).toEqual(["hello world", "hello two"]);
});

test("tokens are the same by name, also from a second copy of core", () => {
  expect(new InstanceContainer(defaults).get(token<string>("name"))).toBe("world");
});

test("a part that is provided twice, or that nobody knows, is refused at start with its name", () => {
  const mine = provide(NAME, () => "me");
  expect(() => new InstanceContainer(defaults, [mine, mine])).toThrow(refusal('"name" is provided twice'));
  expect(() => new InstanceContainer(defaults, [provide(token("nmae"), () => "me")])).toThrow(
    refusal("parts: name, greeting"),
  );
  expect(() => new InstanceContainer([...defaults, mine])).toThrow(refusal('two defaults for "name"'));
  expect(() => new InstanceContainer(defaults).get(token("other"))).toThrow(refusal('no part named "other"'));
});
