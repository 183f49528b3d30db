/** Saves a chart as PNG or CSV; all in the browser. */

const SCALE = 2

export function save(blob: Blob, name: string) {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

/** `Lift per model` → `lift-per-model`. */
export const fileName = (title: string) => title.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '')

function paint(width: number, height: number, background: string, title: string, ink: string) {
  const head = 44
  const canvas = document.createElement('canvas')
  canvas.width = width * SCALE
  canvas.height = (height + head) * SCALE
  const pen = canvas.getContext('2d')
  if (!pen) throw new Error('This browser cannot draw pictures; download the CSV instead.')
  pen.scale(SCALE, SCALE)
  pen.fillStyle = background
  pen.fillRect(0, 0, width, height + head)
  pen.fillStyle = ink
  pen.font = '600 15px "Inter Variable", sans-serif'
  pen.fillText(title, 14, 27)
  pen.translate(0, head)
  return { canvas, pen }
}

const toBlob = (canvas: HTMLCanvasElement) =>
  new Promise<Blob>((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The picture is too large for this browser.'))), 'image/png'))

/** An SVG (colours written into it, no style sheet) with the chart's title above. */
export async function pngOfSvg(svg: SVGSVGElement, title: string, colours: { page: string; text: string }): Promise<Blob> {
  const { width, height } = svg.getBoundingClientRect()
  const copy = svg.cloneNode(true) as SVGSVGElement
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  copy.setAttribute('width', String(width * SCALE))
  copy.setAttribute('height', String(height * SCALE))
  copy.setAttribute('font-family', 'Inter, sans-serif')
  const address = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(copy)], { type: 'image/svg+xml' }))
  const image = new Image()
  image.src = address
  await image.decode()
  const { canvas, pen } = paint(width, height, colours.page, title, colours.text)
  pen.drawImage(image, 0, 0, width, height)
  URL.revokeObjectURL(address)
  return toBlob(canvas)
}

export async function pngOfCanvas(source: HTMLCanvasElement, title: string, colours: { page: string; text: string }): Promise<Blob> {
  const { width, height } = source.getBoundingClientRect()
  const { canvas, pen } = paint(width, height, colours.page, title, colours.text)
  pen.drawImage(source, 0, 0, width, height)
  return toBlob(canvas)
}
