// Boxes that are dragged into an order: by pointer, whichever kind it is.
import { useEffect, useRef, useState } from "../../lib.js";

const FAR = 5; // pixels from which on it is no click

// {drag, start}: `start(event, what)` begins with what is dragged, as `{thing}` or `{from: index}`; `drag` then says
// {…what, x, y, over}, where `over` is the place among the boxes of `canvas`, null outside. In the end `drop(drag)`.
export function useDragging(canvas, drop) {
  const [drag, setDrag] = useState(null);
  const latest = useRef(null);
  const ended = useRef(() => {});
  useEffect(() => () => ended.current(), []);

  const start = (event, what) => {
    if (event.button !== 0) return;
    const begin = { x: event.clientX, y: event.clientY };
    const set = (value) => { latest.current = value; setDrag(value); };
    const move = ({ clientX: x, clientY: y }) => {
      if (!latest.current && Math.hypot(x - begin.x, y - begin.y) < FAR) return;
      set({ ...what, x, y, over: placeAt(canvas.current, x, y) });
    };
    const end = (isDropped) => {
      ended.current();
      const last = latest.current;
      set(null);
      if (isDropped && last && last.over !== null) drop(last);
    };
    const onUp = () => end(true);
    const onCancel = () => end(false);
    const onKey = ({ key }) => { if (key === "Escape") end(false); };
    ended.current = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", onUp);
      removeEventListener("pointercancel", onCancel);
      removeEventListener("keydown", onKey);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", onUp);
    addEventListener("pointercancel", onCancel);
    addEventListener("keydown", onKey);
    event.preventDefault(); // no text is selected meanwhile
  };
  return { drag, start };
}

// Before which box one is, in the order in which they are read.
function placeAt(canvas, x, y) {
  const frame = canvas.getBoundingClientRect();
  if (x < frame.left || x > frame.right || y < frame.top || y > frame.bottom) return null;
  const boxes = [...canvas.querySelectorAll("[data-member]")].map((each) => each.getBoundingClientRect());
  const at = boxes.findIndex((box) => y < box.top || (y <= box.bottom && x < box.left + box.width / 2));
  return at < 0 ? boxes.length : at;
}
