// What views are made of: `html` templates, hooks and signals.
import { Component, Fragment, createContext, h, render } from "preact";
import { useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { batch, computed, effect, signal, useComputed, useSignal } from "@preact/signals";
import htm from "./vendor/htm.js";

export const html = htm.bind(h);
export { Component, Fragment, batch, computed, createContext, effect, h, render, signal };
export { useCallback, useComputed, useEffect, useId, useLayoutEffect, useMemo, useRef, useSignal, useState };
