import { type RefObject, useEffect, useRef, useState } from 'react'

/** The width of an element in CSS pixels, 0 before the first layout. */
export function useWidth<E extends HTMLElement>(): [RefObject<E | null>, number] {
  const ref = useRef<E>(null)
  const [width, setWidth] = useState(0)
  useEffect(() => {
    const element = ref.current
    if (!element) return
    const observer = new ResizeObserver(([entry]) => { if (entry) setWidth(Math.floor(entry.contentRect.width)) })
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  return [ref, width]
}
