import { PageHead } from '../parts/PageHead'
import { Empty } from '../states/States'

/** In place of a page that the member's role leaves out. */
export function Closed({ page, role }: { page: string; role: string }) {
  return (
    <>
      <PageHead title={page} tab={page} />
      <div className="panel">
        <Empty title="Your role does not include this" icon="lock">
          Here you are {role}, and this page is for other roles. Ask an owner of this tenant for one that includes it.
        </Empty>
      </div>
    </>
  )
}
