import { describe, expect, it } from "vitest";
import { archiveNames } from "../../src/kept-media/archive-names.js";

const names = (...ids: string[]) =>
  archiveNames(ids.map((id) => ({ id, mediaType: "image/jpeg" })));

describe("archiveNames", () => {
  it("keeps folders, and adds an ending where there is none", () => {
    expect(names("2024/sea/waves.png", "dog", "v1.2 final")).toEqual([
      "2024/sea/waves.png",
      "dog.jpg",
      "v1.2 final.jpg",
    ]);
  });

  it("leads nowhere but into the folder where it is unpacked", () => {
    const hostile = [
      "../../etc/passwd.jpg",
      "/root/.ssh/a.jpg",
      "..\\..\\windows\\b.jpg",
      "C:\\x.jpg",
      "a/./../c.jpg",
      "..",
      "",
      "nul.jpg",
      "a\0b\n\u202eexe.jpg",
      "dots...",
      "x".repeat(5000),
      "\ud800.jpg",
    ];
    const safe = names(...hostile);
    expect(new Set(safe).size).toBe(hostile.length);
    for (const name of safe) {
      expect(name).not.toMatch(/^\/|\\|:|\p{Cc}|\p{Cf}|\p{Cs}/u);
      for (const part of name.split("/")) {
        expect(part).not.toMatch(/^\.*$|[. ]$|^nul(\.|$)/i);
        expect(part.length).toBeLessThan(140);
      }
    }
  });

  it("gives no two files one name, and no file the name of a folder", () => {
    expect(names("a.jpg", "A.jpg", "a.jpg/b.jpg", "d/e.jpg", "D", "d/e.jpg")).toEqual([
      "a.jpg",
      "A (2).jpg",
      "a.jpg (2)/b.jpg",
      "d/e.jpg",
      "D.jpg",
      "d/e (2).jpg",
    ]);
  });
});
