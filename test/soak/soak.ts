import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Hostwright } from "@hostwright/core";
import { Draw } from "../support/draw.ts";
import { WorkerPack } from "../support/worker-pack.ts";
import { openSoak, putRecords, type Place, type SoakRequest } from "./instance.ts";
import { judge, type Asked, type Verdict } from "./judge.ts";
import { sample, sizeFigures, type Sample, type SizeFigures } from "./sizes.ts";

export interface Extent {
  readonly seed: string;
  readonly tasks: number;
  readonly workers: number;
  readonly sites: number;
  /** Tasks that are submitted and have not ended, at most. */
  readonly backlog: number;
  /** URL of the database that holds the state; default: files. */
  readonly database?: string;
  /** What starts the workers, in turn: machines of their own. */
  readonly starters?: readonly (readonly string[])[];
  /** One worker is killed each time when so many seconds are over, or so many tasks have ended. */
  readonly killEvery: { readonly seconds: number } | { readonly tasks: number };
}

export interface Figures extends Verdict, SizeFigures {
  readonly tasks: number;
  readonly kills: number;
  readonly seconds: number;
  /** Tasks whose end was told more than once. */
  readonly toldTwice: number;
  readonly ends: Readonly<Record<string, number>>;
}

type Say = (line: string) => void;

const SERVERS = ["yard0", "yard1", "yard2", "yard3"];
const LEASE_MS = 10_000;
const SAMPLES = 20;
/** Without any end for so long nothing more is expected. */
const STUCK_MS = 90_000;
const LOOK_MS = 50;

/** Works many tasks of many sites by worker processes that are killed one after the other, and judges what came of it. */
export async function soak(extent: Extent, say: Say): Promise<Figures> {
  const yard = await mkdtemp(join(tmpdir(), "hostwright-soak-"));
  const { database, workers, starters } = extent;
  const place: Place = {
    stateDir: join(yard, "state-folder"),
    yard: join(yard, "yard"),
    leaseMs: LEASE_MS,
    ...(database !== undefined && { database }),
  };
  await mkdir(place.yard);
  try {
    const instance = await openSoak(place);
    await using hw = instance.hw;
    await putRecords(instance, SERVERS, extent.sites);
    await using pack = await WorkerPack.start(join(import.meta.dirname, "worker.ts"), place, workers, starters);
    const run = new Soak(extent, hw, pack, place, say);
    return await run.toItsEnd();
  } finally {
    await rm(yard, { recursive: true, force: true });
  }
}

class Soak {
  readonly #extent: Extent;
  readonly #hw: Hostwright;
  readonly #pack: WorkerPack;
  readonly #place: Place;
  readonly #say: Say;
  readonly #asked = new Map<string, Asked>();
  readonly #samples: Sample[] = [];
  readonly #started = performance.now();
  #ended = 0;
  #lastEnd = performance.now();
  #kills = 0;

  constructor(extent: Extent, hw: Hostwright, pack: WorkerPack, place: Place, say: Say) {
    this.#extent = extent;
    this.#hw = hw;
    this.#pack = pack;
    this.#place = place;
    this.#say = say;
  }

  async toItsEnd(): Promise<Figures> {
    const stop = new AbortController();
    const reading = this.#read(stop.signal);
    const killing = this.#kill(stop.signal);
    await this.#submit();
    while (!this.#isOver) await delay(LOOK_MS);
    stop.abort();
    await Promise.all([reading, killing]);
    this.#measure();
    const asked = [...this.#asked.values()];
    const verdict = await judge(this.#place, asked);
    const ends = Object.groupBy(asked, ({ end }) => end ?? "none");
    return {
      tasks: asked.length,
      kills: this.#kills,
      seconds: Math.round((performance.now() - this.#started) / 1000),
      toldTwice: asked.filter(({ told }) => told > 1).length,
      ends: Object.fromEntries(Object.entries(ends).map(([end, tasks]) => [end, tasks?.length ?? 0])),
      ...verdict,
      ...sizeFigures(this.#samples),
    };
  }

  get #isOver(): boolean {
    return this.#ended === this.#extent.tasks || performance.now() - this.#lastEnd > STUCK_MS;
  }

  async #submit(): Promise<void> {
    const draw = new Draw(`${this.#extent.seed}/tasks`);
    for (let number = 0; number < this.#extent.tasks; number += 1) {
      while (number - this.#ended >= this.#extent.backlog && !this.#isOver) await delay(LOOK_MS);
      if (this.#isOver) return;
      const request = drawRequest(draw, number, this.#extent.sites);
      const task = await this.#hw.submit(this.#hw.request({ type: "soak:work", ...request }));
      const cancelled = draw.share() < 0.02;
      this.#asked.set(task.id, { id: task.id, request, cancelled, told: 0, end: null, error: null });
      // One that has ended already, or is committed, refuses it.
      if (cancelled)
        void delay(draw.below(2000), undefined, { ref: false }).then(async () => task.cancel().catch(() => undefined));
    }
  }

  async #read(signal: AbortSignal): Promise<void> {
    for await (const event of this.#hw.events({ signal })) {
      if (event.type !== "task:finished") continue;
      const asked = await this.#known(event.task ?? "");
      asked.told += 1;
      asked.end = event.payload.state;
      asked.error = event.payload.error === null ? null : JSON.stringify(event.payload.error);
      if (asked.told > 1) continue;
      this.#ended += 1;
      this.#lastEnd = performance.now();
      if (this.#ended % Math.ceil(this.#extent.tasks / SAMPLES) === 0) this.#measure();
    }
  }

  /** Its end may be told before its submission has returned. */
  async #known(id: string): Promise<Asked> {
    for (;;) {
      const asked = this.#asked.get(id);
      if (asked !== undefined) return asked;
      await delay(1);
    }
  }

  async #kill(signal: AbortSignal): Promise<void> {
    const draw = new Draw(`${this.#extent.seed}/kills`);
    const { killEvery } = this.#extent;
    const next = (): number =>
      "seconds" in killEvery ? (this.#kills + 1) * killEvery.seconds * 1000 : (this.#kills + 1) * killEvery.tasks;
    const now = (): number => ("seconds" in killEvery ? performance.now() - this.#started : this.#ended);
    while (!signal.aborted) {
      if (now() < next()) {
        await delay(LOOK_MS);
        continue;
      }
      // Not on the beat of anything that the harness does.
      await delay(draw.below(LOOK_MS));
      await this.#pack.kill(draw.of(this.#pack.workers));
      this.#kills += 1;
      await this.#pack.add();
    }
  }

  #measure(): void {
    const measured = sample(
      this.#ended,
      this.#place.stateDir,
      this.#pack.workers.map(({ pid }) => pid),
    );
    this.#samples.push(measured);
    const seconds = (performance.now() - this.#started) / 1000;
    const { submitter, workers, files } = measured;
    this.#say(
      `${this.#ended} ended, ${Math.round(seconds)} s, ${(this.#ended / seconds).toFixed(1)} a second, ${this.#kills} kills; ` +
        `MB: submitter ${submitter}, workers ${Object.values(workers).join(" ")}, ${Object.entries(files)
          .map(([name, mb]) => `${name} ${mb}`)
          .join(", ")}`,
    );
  }
}

function drawRequest(draw: Draw, number: number, sites: number): SoakRequest {
  const index = draw.below(sites);
  const server = SERVERS[index % SERVERS.length] ?? "";
  const drawn = draw.share();
  const kind = drawn < 0.1 ? "fail" : drawn < 0.4 ? "set" : "append";
  const site = draw.share() < 0.005 ? null : `site${index}`;
  return { server, site, number, kind };
}
