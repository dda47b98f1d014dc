import { useEffect, useRef, useState } from "preact/hooks";

/**
 * What is dropped or pasted anywhere in a view, except where somebody writes.
 * @returns whether something hovers.
 */
export function useDropping(onData: (data: DataTransfer) => void): boolean {
  const [isOver, setOver] = useState(false);
  const latest = useRef(onData);
  latest.current = onData;
  useEffect(() => {
    const onDragOver = (event: DragEvent) => {
      event.preventDefault();
      setOver(true);
    };
    const onDragLeave = (event: DragEvent) => event.relatedTarget === null && setOver(false);
    const onDrop = (event: DragEvent) => {
      event.preventDefault();
      setOver(false);
      if (event.dataTransfer !== null) latest.current(event.dataTransfer);
    };
    const onPaste = ({ target, clipboardData }: ClipboardEvent) => {
      const isWriting = (target as HTMLElement).matches("input, textarea");
      if (clipboardData !== null && (!isWriting || clipboardData.files.length > 0))
        latest.current(clipboardData);
    };
    addEventListener("dragover", onDragOver);
    addEventListener("dragleave", onDragLeave);
    addEventListener("drop", onDrop);
    addEventListener("paste", onPaste);
    return () => {
      removeEventListener("dragover", onDragOver);
      removeEventListener("dragleave", onDragLeave);
      removeEventListener("drop", onDrop);
      removeEventListener("paste", onPaste);
    };
  }, []);
  return isOver;
}
