// Texts and edges of inputs whose contrast is below WCAG 2.2 AA (1.4.3, 1.4.11), as JSON.
(() => {
  const parse = (text) => {
    const parts = text.match(/[\d.]+/g).map(Number);
    return parts.length < 4 ? [...parts, 1] : parts;
  };
  const light = (colour) => {
    const part = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = colour.map(part);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour[3] > 0) return colour;
    }
    return [255, 255, 255, 1];
  };
  const ratio = (one, other) => {
    const [a, b] = [light(one.slice(0, 3)), light(other.slice(0, 3))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.textContent.trim();
    const e = walk.currentNode.parentElement;
    if (!text || !e.checkVisibility() || e.closest(".hidden, .skip, script, option")) continue;
    const style = getComputedStyle(e);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (Number(style.fontWeight) >= 700 && size >= 18.66);
    const has = ratio(parse(style.color), behind(e));
    if (has < (large ? 3 : 4.5)) found.push({ text: text.slice(0, 40), has });
  }
  for (const e of document.querySelectorAll("input[type=text], input[type=password], select, textarea")) {
    if (!e.checkVisibility()) continue;
    const has = ratio(parse(getComputedStyle(e).borderTopColor), behind(e.parentElement));
    if (has < 3) found.push({ text: `edge of ${e.name}`, has });
  }
  return JSON.stringify(found);
})()
