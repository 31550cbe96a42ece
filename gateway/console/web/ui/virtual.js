// A list of which only what is seen is drawn, of any number of items, each as high as it is.
import { Component, html, useLayoutEffect, useRef, useState } from "../lib.js";

const AHEAD = 400; // px that are drawn above and below what is seen
const NEAR = 600; // px from an end at which it is said
const AT_END = 24; // px from the bottom within which one is at it

// `draw(item)` draws an item, called `keyOf(item)`; `estimate` is how high one is that was not drawn yet, in px.
// With `sticky` what comes at the bottom is seen by whoever was there. What is seen stays where it is, whatever
// comes above it. `control.current` is {toEnd(), show(key)}; `atStart`, `atEnd` are called near the ends.
export function Virtual({ items, keyOf, draw, estimate, sticky, control, atStart, atEnd, onPlace, class: more = "", ...rest }) {
  const [, redraw] = useState(0);
  const box = useRef(null);
  const own = useRef(null);
  own.current ??= new Layout(estimate);
  const layout = own.current;
  layout.take(box.current, items, keyOf, sticky);
  const [from, to] = layout.range();

  const look = (isScroll) => {
    const frame = box.current;
    if (!frame) return;
    layout.look(frame, isScroll);
    onPlace?.(layout.isAtEnd);
    if (layout.top < NEAR) atStart?.();
    if (layout.total - layout.top - layout.height < NEAR) atEnd?.();
    if (layout.isStale()) redraw((count) => count + 1);
  };
  useLayoutEffect(() => {
    const frame = box.current;
    const isOther = layout.measure(frame);
    layout.settle(frame);
    look(false);
    if (isOther) redraw((count) => count + 1);
  });
  useLayoutEffect(() => {
    // What grows or shrinks by itself: a picture that has come, something unfolded, a narrower window.
    const watcher = new ResizeObserver(() => {
      if (!layout.measure(box.current)) return;
      layout.settle(box.current);
      requestAnimationFrame(() => redraw((count) => count + 1));
    });
    layout.watcher = watcher;
    for (const element of [box.current, ...layout.rows.values()]) watcher.observe(element);
    return () => watcher.disconnect();
  }, []);
  if (control) {
    control.current = {
      toEnd: () => { layout.isAtEnd = true; redraw((count) => count + 1); },
      show: (key) => { layout.isAtEnd = false; layout.anchor = { key, by: -AT_END }; redraw((count) => count + 1); },
    };
  }
  return html`
    <div ref=${box} class=${`virtual ${more}`} tabindex="0" onScroll=${() => look(true)} ...${rest}>
      <div class="virtual-room" style=${{ height: `${layout.offset(from)}px` }}></div>
      ${items.slice(from, to).map((item) => html`
        <${Row} key=${keyOf(item)} item=${item} draw=${draw} layout=${layout} name=${keyOf(item)} />
      `)}
      <div class="virtual-room" style=${{ height: `${Math.max(0, layout.total - layout.offset(to))}px` }}></div>
    </div>
  `;
}

// Drawn anew when its item, or what draws it, is another one.
class Row extends Component {
  shouldComponentUpdate({ item, draw }) {
    return item !== this.props.item || draw !== this.props.draw;
  }

  componentDidMount() { this.props.layout.add(this.props.name, this.element); }

  componentWillUnmount() { this.props.layout.drop(this.props.name, this.element); }

  render({ item, draw }) {
    return html`<div class="virtual-item" ref=${(element) => { if (element) this.element = element; }}>${draw(item)}</div>`;
  }
}

// Where all items stand, as far as that is known.
class Layout {
  constructor(estimate) {
    this.estimate = estimate;
    this.heights = new Map(); // of those that were drawn, by key
    this.rows = new Map(); // those that are drawn
    this.keys = [];
    this.offsets = new Float64Array(1);
    this.top = 0;
    this.height = 800;
    this.anchor = null; // what stands at the top of what is seen: {key, by} px below its beginning
    this.isAtEnd = true;
    this.drawn = [0, 0];
  }

  get total() { return this.offsets[this.keys.length]; }

  offset(index) { return this.offsets[index]; }

  // Takes the items of now, and says where they will stand.
  take(frame, items, keyOf, isSticky) {
    this.isSticky = isSticky;
    if (frame) this.look(frame, true); // of which no event may have told yet
    if (items !== this.items) {
      this.items = items;
      this.keys = items.map(keyOf);
    }
    this.place();
    this.top = this.aim() ?? this.top;
  }

  place() {
    const offsets = new Float64Array(this.keys.length + 1);
    for (let at = 0; at < this.keys.length; at += 1) {
      offsets[at + 1] = offsets[at] + (this.heights.get(this.keys[at]) ?? this.estimate);
    }
    this.offsets = offsets;
  }

  // Where what is seen has to begin, for it to stay what is seen.
  aim() {
    if (this.isSticky && this.isAtEnd) return Math.max(0, this.total - this.height);
    const at = this.anchor ? this.keys.indexOf(this.anchor.key) : -1;
    return at < 0 ? null : Math.max(0, this.offsets[at] + this.anchor.by);
  }

  // The first item that ends below this, by halves.
  indexAt(y) {
    let [low, high] = [0, this.keys.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.offsets[middle + 1] <= y) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  wanted(ahead) {
    return [this.indexAt(this.top - ahead), Math.min(this.keys.length, this.indexAt(this.top + this.height + ahead) + 1)];
  }

  range() {
    this.drawn = this.wanted(AHEAD);
    return this.drawn;
  }

  // Whether something is about to be seen that is not drawn.
  isStale() {
    const [from, to] = this.wanted(AHEAD / 2);
    return from < this.drawn[0] || to > this.drawn[1];
  }

  add(key, element) {
    this.rows.set(key, element);
    this.watcher?.observe(element);
  }

  drop(key, element) {
    if (this.rows.get(key) === element) this.rows.delete(key);
    this.watcher?.unobserve(element);
  }

  // Whether something is higher or lower than was known.
  measure(frame) {
    let isOther = frame.clientHeight !== this.height;
    this.height = frame.clientHeight;
    for (const [key, element] of this.rows) {
      const { height } = element.getBoundingClientRect();
      if (Math.abs(height - (this.heights.get(key) ?? -1)) < 0.5) continue;
      this.heights.set(key, height);
      isOther = true;
    }
    if (isOther) this.place();
    return isOther;
  }

  settle(frame) {
    const top = this.aim();
    if (top !== null && Math.abs(top - frame.scrollTop) >= 1) frame.scrollTop = top;
    this.top = frame.scrollTop;
  }

  look(frame, isScroll) {
    const isMoved = Math.abs(frame.scrollTop - this.top) >= 1; // by someone: of what was set here events tell too
    this.top = frame.scrollTop;
    if (!isScroll || !isMoved) return;
    this.isAtEnd = frame.scrollHeight - this.top - frame.clientHeight < AT_END;
    const at = this.indexAt(this.top);
    if (at < this.keys.length) this.anchor = { key: this.keys[at], by: this.top - this.offsets[at] };
  }
}
