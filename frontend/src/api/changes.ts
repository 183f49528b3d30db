/** What an event of the live stream changes on screen: the run's card at once, figures made of many rows less often. */
import type { QueryClient, QueryKey } from '@tanstack/react-query'
import type { Overview, Page, Run, RunCard } from './types'

const DETAIL_MS = 3_000
const FIGURES_MS = 4_000
const FIGURES = ['overview', 'models', 'model', 'partitions', 'streams', 'costs', 'foundation', 'ledger']

const replace = (runs: RunCard[], card: RunCard) => runs.map((run) => (run.id === card.id ? { ...run, ...card } : run))

/** Turns events into cache changes; a burst costs one refresh per interval. */
export class Changes {
  readonly #client: QueryClient
  readonly #root: QueryKey
  readonly #seen = new Map<string, string>()
  readonly #timers = new Map<string, number>()

  constructor(client: QueryClient, tenant: string) {
    this.#client = client
    this.#root = ['tenant', tenant]
  }

  /** A run's card as it is now. */
  run(card: RunCard) {
    this.#client.setQueryData<Run>([...this.#root, 'run', card.id], (run) => run && { ...run, ...card })
    this.#client.setQueriesData<Page<RunCard>>({ queryKey: [...this.#root, 'runs'] }, (page) => page && { ...page, results: replace(page.results, card) })
    this.#client.setQueryData<Overview>([...this.#root, 'overview'], (overview) => overview && { ...overview, runs: replace(overview.runs, card) })
    this.#later(`run ${card.id}`, DETAIL_MS, () => this.#stale('run', card.id))

    const mark = `${card.state} ${card.progress?.done ?? 0}`
    if (this.#seen.get(card.id) === mark) return
    this.#seen.set(card.id, mark)
    this.#later('figures', FIGURES_MS, () => {
      this.#stale('runs')
      for (const name of FIGURES) this.#stale(name)
    })
  }

  /** Everything of the tenant may have changed, as after a lost stream. */
  all() {
    void this.#client.invalidateQueries({ queryKey: this.#root })
  }

  stop() {
    this.#timers.forEach((timer) => window.clearTimeout(timer))
    this.#timers.clear()
  }

  #stale(...key: string[]) {
    void this.#client.invalidateQueries({ queryKey: [...this.#root, ...key] })
  }

  #later(name: string, delay: number, act: () => void) {
    if (this.#timers.has(name)) return
    this.#timers.set(name, window.setTimeout(() => {
      this.#timers.delete(name)
      act()
    }, delay))
  }
}
